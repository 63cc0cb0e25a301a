// The evidence of a canary, second by second as it is judged: how near each metric is to a
// rollback, how far its proof has come, and how both versions fail.

import { Refusal, json } from "./asking.js";
import { Panel } from "./panel.js";
import { current } from "./times.js";

const LOOK_MS = 1500;
const SEEN_MIN = 0.005; // of the way to a rollback: below it, a line lies on the axis
const ALL = "All together";
const ERRORS = "errors";
const TONES = { "advance": "info", "finish": "good", "step-back": "warn", "roll-back": "bad" };
const feeds = new Map();

const ratio = (bad, trials) => (trials > 0 ? bad / trials : null);
const metricsOf = (points) => (points.at(-1)?.metrics ?? []).map((one) => ({ name: one.name, title: one.title }));
const valuesOf = (points, name, measure) => points.map((point) => {
  const metric = point.metrics.find((one) => one.name === name);
  return metric ? measure(metric) : null;
});

// What a chart shows of the points: lines with names.
const MEASURES = {
  nearness(points) {
    const lines = metricsOf(points).map(({ name, title }) => ({ key: name, name: title, values: valuesOf(points, name, (one) => one.nearness) }));
    const shown = lines.filter((one) => one.key === ERRORS || one.values.some((value) => value > SEEN_MIN));
    return [{ name: ALL, values: points.map((point) => point.nearness) }, ...shown];
  },
  progress(points) {
    const isAsked = (one) => one.gate_needed || one.gate_passed;
    return metricsOf(points)
      .filter(({ name }) => points.some((point) => point.metrics.some((one) => one.name === name && one.gate_needed)))
      .map(({ name, title }) => ({ name: title, values: valuesOf(points, name, (one) => (isAsked(one) ? one.progress : null)) }));
  },
  failed(points, found) {
    return [
      { name: found.version, values: valuesOf(points, ERRORS, (one) => ratio(one.bad_new, one.requests_new)) },
      { name: found.stable_version, values: valuesOf(points, ERRORS, (one) => ratio(one.bad_old, one.requests_old)) },
    ];
  },
};

// The points of one deployment, asked for once whichever charts draw them.
class Feed {
  constructor(url) {
    this.url = url;
    this.points = [];
    this.panels = new Set();
    this.isOver = false;
    setInterval(() => { if (!document.hidden && !this.isOver) this.look().catch(() => {}); }, LOOK_MS);
  }

  // The page says when it is judged at all.
  async look() {
    if (this.isOver || this.asking || !document.getElementById("canary")) return this.asking;
    this.asking = this.more();
    try {
      await this.asking;
    } finally {
      this.asking = null;
    }
    for (const panel of this.panels) panel.renew();
    return undefined;
  }

  async more() {
    const found = await json(`${this.url}?after=${this.points.at(-1)?.second ?? 0}`);
    this.points.push(...found.points.filter((one) => one.second > (this.points.at(-1)?.second ?? 0)));
    this.found = found;
    this.isOver = found.state !== "running";
  }

  get markers() {
    return this.points.filter((one) => one.move in TONES).map((one) => ({
      at: Date.parse(one.at) / 1000, tone: TONES[one.move] === "info" ? "brand" : TONES[one.move], url: "#canary", label: one.reasons[0],
    }));
  }
}

function feedOf(url) {
  if (!feeds.has(url)) feeds.set(url, new Feed(url));
  return feeds.get(url);
}

export class Evidence extends Panel {
  constructor(card) {
    super(card);
    this.spec.kind = "line";
    this.feed = feedOf(this.spec.source);
    this.feed.panels.add(this);
  }

  async load() {
    try {
      await this.feed.look();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.say(error.message, error.calm ? "calm" : "wrong");
      return !error.calm;
    }
    this.renew();
    return true;
  }

  // Somebody who reads it is not interrupted.
  renew() {
    const isRead = this.plot && (this.at !== null || this.card.contains(document.activeElement));
    if (isRead) return;
    const { points, found, markers } = this.feed;
    this.range = current();
    this.found = { times: points.map((one) => Date.parse(one.at) / 1000), series: points.length ? MEASURES[this.spec.measure](points, found) : [], hidden: 0 };
    this.markers = markers;
    this.say("");
    this.show();
  }

  mark() {}
}
