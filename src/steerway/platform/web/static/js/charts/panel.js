// One chart of a page: it asks, draws, names its lines, and tells the same in words and numbers.

import { Refusal, matrix, stepOf } from "./asking.js";
import { colour, draw, styleOf, theme } from "./drawing.js";
import { frame, seen, summary } from "./frames.js";
import { clock, full, go, zone, zoneName } from "./times.js";
import { written } from "./units.js";

const HEIGHT = 190;
const ROWS_MAX = 500; // of the table that says the same as the plot
const SAID = { empty: "No data in this time.", loading: "Looking…" };
const STACKS = ["stack", "bar"];
const COLUMNS = ["min", "avg", "max"];

function element(name, text = "", className = "") {
  const found = document.createElement(name);
  if (text) found.textContent = text;
  if (className) found.className = className;
  return found;
}

function swatch(style) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ class: "line-key", viewBox: "0 0 20 8", "aria-hidden": "true" })) svg.setAttribute(name, value);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  for (const [name, value] of Object.entries({ x1: 0, x2: 20, y1: 4, y2: 4, stroke: colour(style.name), "stroke-dasharray": style.dash.join(" ") })) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

export class Panel {
  constructor(card) {
    this.card = card;
    this.spec = { thresholds: [], unit: "", kind: "line", ...JSON.parse(card.dataset.chart) };
    this.part = (name) => card.querySelector(`[data-${name}]`);
    this.plotPlace = this.part("plot");
    this.off = new Set();
    this.markers = [];
    this.at = null;
    this.key = "";
    this.plotPlace.addEventListener("keydown", (event) => this.press(event));
    this.part("as-table")?.addEventListener("click", () => this.showTable(this.part("table").hidden));
  }

  async load(range, signal) {
    this.card.setAttribute("aria-busy", "true");
    const step = stepOf(range, this.spec.points);
    try {
      const answers = await Promise.all(this.spec.queries.map((one) => matrix(one.text, range, step, { signal, interval: this.spec.interval })));
      this.range = range;
      this.found = frame(answers, this.spec.queries);
      if (STACKS.includes(this.spec.kind)) this.found.series = seen(this.found.series);
      this.say("");
      this.show();
      return true;
    } catch (error) {
      if (error.name === "AbortError") return true;
      if (!(error instanceof Refusal)) throw error;
      this.say(error.message, error.calm ? "calm" : "wrong");
      this.card.dispatchEvent(new CustomEvent("refused", { bubbles: true, detail: { question: error.question, words: error.message, isCalm: error.calm } }));
      return !error.calm;
    } finally {
      this.card.removeAttribute("aria-busy");
    }
  }

  say(words, kind = "") {
    const place = this.part("said");
    place.hidden = !words;
    place.textContent = words;
    place.dataset.kind = kind;
    const isQuiet = !words || (kind === "calm" && this.found?.series.length > 0);
    for (const name of ["plot", "legend"]) this.part(name).hidden = !isQuiet;
    if (words) this.showTable(false);
  }

  show() {
    if (!this.found.series.length) {
      this.plot?.destroy();
      this.plot = null;
      this.say(SAID.empty, "empty");
      return;
    }
    this.styles = this.found.series.map((one, index) => styleOf(index, this.toneOf(one)));
    this.redraw();
    this.legend();
    if (!this.part("table").hidden) this.table();
  }

  toneOf(series) {
    const found = Object.entries(this.spec.tones ?? {}).find(([name]) => name === series.name);
    return found ? `--${found[1]}` : undefined;
  }

  // Lines that are switched off are not drawn; the others keep their colour.
  redraw() {
    const kept = this.found.series.map((one, index) => index).filter((index) => !this.off.has(this.found.series[index].name));
    this.plot?.destroy();
    this.plot = draw(this.plotPlace, {
      spec: this.spec, range: this.range, height: this.spec.height ?? HEIGHT, styles: kept.map((index) => this.styles[index]),
      frame: { ...this.found, series: kept.map((index) => this.found.series[index]) }, markers: () => this.markers,
      hear: { cursor: (index) => this.point(index), chosen: (from, until) => go({ from, until }), drawn: (plot) => this.signs(plot), zone },
    });
    this.key = theme();
    this.plotPlace.setAttribute("aria-label", this.words());
  }

  words() {
    const lines = this.found.series.slice(0, 8).map((one) => `${one.name} ${written(this.spec.unit, summary(one.values).last)}`);
    return `${this.spec.title}: ${lines.join(", ")}. Arrow keys read values, Enter marks a start and an end to zoom.`;
  }

  // Deployments are links above the plot; the lines below them are drawn by the plot.
  signs(plot) {
    this.part("signs").replaceChildren(...this.markers.flatMap((one) => {
      const left = plot.valToPos(one.at, "x") + plot.over.offsetLeft;
      if (one.at < this.range.from || one.at > this.range.until) return [];
      const link = element("a", "", `sign ${one.tone === "brand" ? "info" : one.tone}`);
      link.href = one.url;
      link.title = link.ariaLabel = `${one.label}, ${full(one.at, this.range.until - this.range.from)}`;
      link.style.left = `${left}px`;
      return [link];
    }));
  }

  mark(markers) {
    this.markers = markers;
    this.plot?.redraw(false);
  }

  // ── names and numbers

  legend() {
    const place = this.part("legend");
    const head = place.querySelector("[data-at]");
    head.textContent = this.at === null ? "Last" : clock(this.found.times[this.at]);
    place.querySelector("tbody").replaceChildren(...this.found.series.map((one, index) => this.row(one, index)));
    place.dataset.many = this.found.series.length > 6 ? "yes" : "";
    this.part("more").textContent = this.found.hidden ? `${this.found.hidden} more are not drawn.` : "";
  }

  row(one, index) {
    const row = element("tr");
    const head = element("th");
    const button = element("button", "", "series");
    const isOn = !this.off.has(one.name);
    button.type = "button";
    button.setAttribute("aria-pressed", String(isOn));
    button.title = one.name;
    button.append(swatch(this.styles[index]), element("span", one.name, "clip"));
    button.addEventListener("click", (event) => this.toggle(one.name, event));
    head.scope = "row";
    head.append(button);
    const numbers = summary(one.values);
    const last = this.at === null ? numbers.last : one.values[this.at];
    row.append(head, ...COLUMNS.map((name) => element("td", written(this.spec.unit, numbers[name]), `right ${name}`)), element("td", written(this.spec.unit, last), "right last"));
    return row;
  }

  // A click leaves one line alone, or brings all back; with Ctrl it switches only this one.
  toggle(name, event) {
    const names = this.found.series.map((one) => one.name);
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      if (!this.off.delete(name)) this.off.add(name);
    } else {
      const isAlone = !this.off.has(name) && this.off.size === names.length - 1;
      this.off = new Set(isAlone ? [] : names.filter((other) => other !== name));
    }
    this.redraw();
    this.legend();
    [...this.part("legend").querySelectorAll("button")].find((button) => button.title === name)?.focus();
  }

  point(index) {
    if (index === this.at || !this.found) return;
    this.at = index;
    const rows = this.part("legend").querySelectorAll("tbody tr");
    this.part("legend").querySelector("[data-at]").textContent = index === null ? "Last" : clock(this.found.times[index]);
    this.found.series.forEach((one, number) => {
      const value = index === null ? summary(one.values).last : one.values[index];
      if (rows[number]) rows[number].lastChild.textContent = written(this.spec.unit, value);
    });
  }

  // ── keyboard

  press(event) {
    if (!this.plot) return;
    const last = this.found.times.length - 1;
    const leap = event.shiftKey ? 10 : 1;
    const moves = { ArrowLeft: (at) => at - leap, ArrowRight: (at) => at + leap, Home: () => 0, End: () => last };
    if (event.key in moves) {
      const at = Math.max(0, Math.min(last, this.at === null ? this.newest() : moves[event.key](this.at)));
      this.plot.setCursor({ left: this.plot.valToPos(this.found.times[at], "x"), top: 10 }, true, true);
      this.point(at);
      this.tell(at);
    } else if (event.key === "Enter" && this.at !== null) {
      const here = this.found.times[this.at];
      if (this.start !== undefined && this.start !== here) go({ from: Math.min(this.start, here), until: Math.max(this.start, here) });
      this.announce(`Zoom from ${full(here, 0)}: go on with the arrow keys and press Enter again.`);
      this.start = here;
    } else if (event.key === "Escape") {
      this.start = undefined;
      this.plot.setCursor({ left: -10, top: -10 }, true, true);
    } else return;
    event.preventDefault();
  }

  // Where reading begins: the last moment at which anything is known.
  newest() {
    const known = (at) => this.found.series.some((one) => one.values[at] !== null);
    let at = this.found.times.length - 1;
    while (at > 0 && !known(at)) at -= 1;
    return at;
  }

  tell(at) {
    const values = this.found.series.filter((one) => !this.off.has(one.name)).slice(0, 8).map((one) => `${one.name} ${written(this.spec.unit, one.values[at])}`);
    this.announce(`${full(this.found.times[at], this.range.until - this.range.from)}: ${values.join(", ")}`);
  }

  announce(words) {
    const place = document.getElementById("said");
    if (place) place.textContent = words;
  }

  // ── the same as a table

  showTable(isWanted) {
    const place = this.part("table");
    if (isWanted && !this.found?.series.length) return;
    place.hidden = !isWanted;
    if (isWanted) this.table();
    if (this.part("said").hidden) for (const name of ["plot", "legend"]) this.part(name).hidden = isWanted;
    this.part("as-table")?.setAttribute("aria-pressed", String(isWanted));
    if (!isWanted) this.fit();
  }

  table() {
    const { times, series } = this.found;
    const table = element("table", "", "table thin");
    table.append(element("caption", `${this.spec.title}, newest first`, "vh"));
    const head = element("tr");
    for (const name of [`Time (${zoneName()})`, ...series.map((one) => one.name)]) {
      const cell = element("th", name, head.childElementCount ? "right" : "");
      cell.scope = "col";
      head.append(cell);
    }
    const body = element("tbody");
    for (let at = times.length - 1; at >= Math.max(0, times.length - ROWS_MAX); at -= 1) {
      const row = element("tr");
      const time = element("th", full(times[at], this.range.until - this.range.from));
      time.scope = "row";
      row.append(time, ...series.map((one) => element("td", written(this.spec.unit, one.values[at]), "right")));
      body.append(row);
    }
    const top = element("thead");
    top.append(head);
    table.append(top, body);
    this.part("table").replaceChildren(table);
  }

  fit() {
    const width = this.plotPlace.clientWidth;
    if (!this.plot || !width) return;
    if (this.key !== theme()) { this.redraw(); this.legend(); }
    else if (width !== this.plot.width) this.plot.setSize({ width, height: this.plot.height });
  }
}
