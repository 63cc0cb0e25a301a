// The editor of explore: completes names, labels, values and functions from what is stored, and
// shows a mistake where it is.

import { json } from "../charts/asking.js";
import { current, withRange } from "../charts/times.js";
import { SPANS, context, matching, placeOf, spoken } from "./promql.js";

const TYPING_MS = 120;
const LOOKBACK_SECONDS = 3600;
const QUESTIONS_MAX = 6;

const form = document.querySelector("[data-ask]");
const known = new Map();

// ── what the store knows; asked once a page

function ask(path, parameters = {}) {
  const { from, until } = current();
  const asked = new URLSearchParams({ start: Math.min(from, until - LOOKBACK_SECONDS).toFixed(0), end: until.toFixed(0), ...parameters });
  const key = `${path}?${JSON.stringify(parameters)}`;
  if (!known.has(key)) known.set(key, json(`/api/v1/${path}?${asked}`).then((found) => found.data).catch(() => { known.delete(key); return []; }));
  return known.get(key);
}

async function names() {
  const [metrics, metadata] = await Promise.all([ask("label/__name__/values"), ask("metadata")]);
  return metrics.map((text) => ({ text, detail: metadata[text]?.[0]?.type ?? "metric", help: metadata[text]?.[0]?.help ?? "", after: "" }));
}

async function offered(at) {
  if (at.kind === "name") return at.typed ? [...await names(), ...spoken()] : names();
  if (at.kind === "span") return SPANS.map((text) => ({ text, detail: "span", after: "" }));
  const match = at.metric ? { "match[]": at.metric } : {};
  if (at.kind === "label") return (await ask("labels", match)).filter((text) => text !== "__name__").map((text) => ({ text, detail: "label", after: "" }));
  if (at.kind === "value" && at.label) return (await ask(`label/${at.label}/values`, match)).map((text) => ({ text, detail: at.label, after: "" }));
  return [];
}

// ── one question

class Question {
  constructor(element) {
    this.element = element;
    this.text = element.querySelector("textarea");
    this.hints = element.querySelector(".hints");
    this.wrong = element.querySelector("[data-wrong]");
    this.chosen = -1;
    this.asked = 0;
    this.text.addEventListener("input", () => { this.grow(); this.soon(); });
    this.text.addEventListener("keydown", (event) => this.press(event));
    this.text.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.hints.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.take([...this.hints.children].indexOf(option));
    });
    this.grow();
  }

  grow() {
    this.text.rows = Math.min(8, this.text.value.split("\n").length);
    this.wrong.hidden = true;
    this.text.removeAttribute("aria-invalid");
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.complete(), TYPING_MS);
  }

  async complete({ always = false } = {}) {
    const number = ++this.asked;
    const at = context(this.text.value, this.text.selectionStart);
    if (!at.kind || (!at.typed && at.kind === "name" && !always)) return this.close();
    const found = matching(await offered(at), at.typed);
    if (number !== this.asked || document.activeElement !== this.text) return undefined;
    const isDone = found.length === 1 && found[0].text === at.typed;
    if (!found.length || isDone) return this.close();
    this.at = at;
    this.found = found;
    this.hints.replaceChildren(...found.map((one, index) => this.option(one, index)));
    this.hints.hidden = false;
    this.text.setAttribute("aria-expanded", "true");
    this.choose(always || at.kind !== "name" || at.typed.length > 1 ? 0 : -1);
    return undefined;
  }

  option(one, index) {
    const option = document.createElement("li");
    option.id = `${this.hints.id}-${index}`;
    option.setAttribute("role", "option");
    option.append(Object.assign(document.createElement("span"), { textContent: one.text, className: "clip" }), Object.assign(document.createElement("small"), { textContent: one.help || one.detail, className: "clip" }));
    return option;
  }

  choose(index) {
    this.chosen = index;
    [...this.hints.children].forEach((option, number) => option.setAttribute("aria-selected", String(number === index)));
    if (index < 0) this.text.removeAttribute("aria-activedescendant");
    else {
      this.text.setAttribute("aria-activedescendant", this.hints.children[index].id);
      this.hints.children[index].scrollIntoView({ block: "nearest" });
    }
  }

  close() {
    this.hints.hidden = true;
    this.chosen = -1;
    this.text.setAttribute("aria-expanded", "false");
    this.text.removeAttribute("aria-activedescendant");
  }

  take(index) {
    const { text, after } = this.found[index];
    const written = this.at.kind === "value" ? text.replaceAll("\\", "\\\\").replaceAll('"', '\\"') : text;
    const rest = this.text.value.slice(this.text.selectionStart);
    const end = after && !rest.startsWith(after.trim()) ? after : "";
    this.text.setRangeText(written + end, this.at.from, this.text.selectionStart, "end");
    this.close();
    this.grow();
  }

  press(event) {
    const isOpen = !this.hints.hidden;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    else if (event.key === " " && event.ctrlKey) this.complete({ always: true });
    else if (isOpen && event.key in moves) this.choose((this.chosen + moves[event.key] + this.found.length) % this.found.length);
    else if (isOpen && this.chosen >= 0 && (event.key === "Enter" || event.key === "Tab")) this.take(this.chosen);
    else if (isOpen && event.key === "Escape") this.close();
    else if (event.key === "Enter" && !event.shiftKey) form.requestSubmit();
    else return;
    event.preventDefault();
  }

  refuse(words) {
    const text = this.text.value;
    const at = placeOf(text, words);
    this.text.setAttribute("aria-invalid", "true");
    this.wrong.hidden = false;
    this.wrong.replaceChildren(document.createTextNode(words));
    if (at < 0 || text.includes("\n")) return;
    const place = document.createElement("code");
    const mark = document.createElement("mark");
    mark.textContent = text.slice(at, at + 1) || " ";
    place.append(text.slice(Math.max(0, at - 40), at), mark, text.slice(at + 1, at + 40));
    this.wrong.append(place);
  }
}

// ── the form

let questions = [...form.querySelectorAll("[data-question]")].map((element) => new Question(element));

function add() {
  if (questions.length >= QUESTIONS_MAX) return;
  const copy = questions[0].element.cloneNode(true);
  const number = questions.length + 1;
  const [area, hints] = [copy.querySelector("textarea"), copy.querySelector(".hints")];
  area.value = "";
  area.id = copy.querySelector("label").htmlFor = `q-${number}`;
  hints.id = `hints-${number}`;
  area.setAttribute("aria-controls", hints.id);
  copy.querySelector("label").textContent = `PromQL, question ${number}`;
  form.querySelector("[data-rows]").append(copy);
  questions.push(new Question(copy));
  area.focus();
}

form.addEventListener("click", (event) => {
  if (event.target.closest("[data-more-questions]")) add();
  const remove = event.target.closest("[data-remove]");
  if (!remove) return;
  const element = remove.closest("[data-question]");
  questions = questions.filter((one) => one.element !== element);
  element.remove();
  form.requestSubmit();
});

// The address says everything: the questions, how they are drawn, and the range.
form.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  const asked = new URLSearchParams();
  for (const one of questions) if (one.text.value.trim()) asked.append("q", one.text.value.trim());
  const kind = form.elements.kind.value;
  if (kind !== "line") asked.set("kind", kind);
  location.search = withRange(asked, current());
});

form.elements.kind.addEventListener("change", () => form.requestSubmit());

document.addEventListener("refused", (event) => {
  const { question, words, isCalm } = event.detail;
  const found = questions.find((one) => one.text.value.trim() === question);
  if (isCalm || !found) return;
  // It is said where it was made, once.
  found.refuse(words.replace(/^invalid parameter "query": /, ""));
  event.target.hidden = true;
});

if (!questions[0].text.value) questions[0].text.focus();
