// Panels that are not plots: one number, a gauge, or a table of the newest values.

import { Refusal, matrix, stepOf, vector } from "./asking.js";
import { frame, named, summary } from "./frames.js";
import { digits, written } from "./units.js";

const ROWS_MAX = 100;
const POINTS = 60; // of the small line below a number
const LINE = { width: 200, height: 34 };
const EMPTY = "No data in this time.";

function toneOf(value, thresholds) {
  const passed = thresholds.filter((one) => value >= one.value);
  return passed.length ? passed.at(-1).tone : "";
}

function svg(name, attributes) {
  const found = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  return found;
}

class Figure {
  constructor(card) {
    this.card = card;
    this.spec = { thresholds: [], unit: "", reduce: "last", ...JSON.parse(card.dataset.chart) };
    this.place = card.querySelector("[data-figure]");
    this.said = card.querySelector("[data-said]");
  }

  async load(range, signal) {
    try {
      this.show(await this.ask(range, signal));
      return true;
    } catch (error) {
      if (error.name === "AbortError") return true;
      if (!(error instanceof Refusal)) throw error;
      this.say(error.message, error.calm ? "calm" : "wrong");
      this.card.dispatchEvent(new CustomEvent("refused", { bubbles: true, detail: { question: error.question, words: error.message, isCalm: error.calm } }));
      return !error.calm;
    }
  }

  say(words, kind = "") {
    this.said.hidden = !words;
    this.said.textContent = words;
    this.said.dataset.kind = kind;
    this.place.hidden = Boolean(words);
  }

  mark() {}

  fit() {}
}

export class Stat extends Figure {
  async ask(range, signal) {
    const answers = await Promise.all(this.spec.queries.map((one) => matrix(one.text, range, stepOf(range, POINTS), { signal, interval: this.spec.interval })));
    return frame(answers, this.spec.queries).series;
  }

  show(series) {
    if (!series.length) return this.say(EMPTY, "empty");
    this.say("");
    this.place.replaceChildren(...series.slice(0, 12).map((one) => this.number(one, series.length > 1)));
    return undefined;
  }

  number(one, isNamed) {
    const value = summary(one.values)[this.spec.reduce];
    const found = document.createElement("div");
    found.className = `stat ${toneOf(value, this.spec.thresholds)}`;
    const big = document.createElement("b");
    big.textContent = written(this.spec.unit, value);
    found.append(big);
    if (isNamed) found.append(Object.assign(document.createElement("span"), { textContent: one.name, className: "clip" }));
    found.append(this.line(one.values));
    return found;
  }

  line(values) {
    const { min, max } = summary(values);
    const high = max === min ? 1 : max - min;
    const x = (index) => (index / Math.max(1, values.length - 1)) * LINE.width;
    const y = (value) => LINE.height - 2 - ((value - min) / high) * (LINE.height - 4);
    let isDown = false;
    const way = values.map((value, index) => {
      if (value === null) { isDown = false; return ""; }
      const move = `${isDown ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      isDown = true;
      return move;
    }).join("");
    const picture = svg("svg", { viewBox: `0 0 ${LINE.width} ${LINE.height}`, preserveAspectRatio: "none", class: "spark", "aria-hidden": "true" });
    picture.append(svg("path", { d: way || "M0 0" }));
    return picture;
  }
}

export class Gauge extends Stat {
  number(one, isNamed) {
    const value = summary(one.values)[this.spec.reduce];
    const [low, high] = [this.spec.bottom ?? 0, this.spec.top ?? (this.spec.unit === "ratio" ? 1 : 100)];
    const share = value === null ? 0 : Math.max(0, Math.min(1, (value - low) / (high - low)));
    const found = document.createElement("div");
    found.className = `stat gauge ${toneOf(value, this.spec.thresholds) || "info"}`;
    const picture = svg("svg", { viewBox: "0 0 120 66", "aria-hidden": "true" });
    const arc = { d: "M10 60 A50 50 0 0 1 110 60", pathLength: 100 };
    picture.append(svg("path", { ...arc, class: "track" }), svg("path", { ...arc, class: "value", "stroke-dasharray": `${share * 100} 200` }));
    const big = document.createElement("b");
    big.textContent = written(this.spec.unit, value);
    found.append(picture, big);
    if (isNamed) found.append(Object.assign(document.createElement("span"), { textContent: one.name, className: "clip" }));
    return found;
  }
}

export class Table extends Figure {
  async ask(range, signal) {
    const step = stepOf(range);
    return Promise.all(this.spec.queries.map((one) => vector(one.text, range, step, signal)));
  }

  show(answers) {
    const found = answers.flatMap((rows, index) => rows.map((row) => ({ ...row, query: this.spec.queries[index] })));
    if (!found.length) return this.say(EMPTY, "empty");
    this.say("");
    const rows = found.sort((a, b) => Number(b.value[1]) - Number(a.value[1])).slice(0, ROWS_MAX);
    const isNamed = this.spec.queries.some((one) => one.legend);
    const labels = isNamed ? [] : [...new Set(rows.flatMap((row) => Object.keys(row.metric)))].sort();
    const head = isNamed ? ["Name"] : labels;
    const table = document.createElement("table");
    table.className = "table thin";
    table.createCaption().className = "vh";
    table.caption.textContent = this.spec.title;
    const top = table.createTHead().insertRow();
    for (const name of [...head, "Value"]) top.append(Object.assign(document.createElement("th"), { textContent: name, scope: "col", className: name === "Value" ? "right" : "" }));
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      const texts = isNamed ? [named(row.metric, row.query.legend, row.query.text)] : labels.map((label) => row.metric[label] ?? "");
      for (const text of texts) line.insertCell().textContent = text;
      const cell = line.insertCell();
      cell.className = `right ${toneOf(Number(row.value[1]), this.spec.thresholds)}`;
      cell.textContent = this.spec.unit ? written(this.spec.unit, Number(row.value[1])) : written("", Number(row.value[1])) || digits(Number(row.value[1]));
    }
    this.place.replaceChildren(table);
    return undefined;
  }
}
