// Questions to the server, few at a time, and what its refusals mean to whoever looks on.

const AT_ONCE_MAX = 3; // the server has few threads, and other people
const POINTS_MAX = 400;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const STEP_MIN = 5;
const INTERVAL = 15; // seconds between two samples of most sources
const SAMPLES = 4; // in the window of a rate: it needs two of them, and one may be late

let running = 0;
const waiting = [];

async function turn(work) {
  if (running >= AT_ONCE_MAX) await new Promise((resolve) => { waiting.push(resolve); });
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

// Why there is nothing to see. `calm`: it passes by itself.
export class Refusal extends Error {
  constructor(words, { calm = false } = {}) {
    super(words);
    this.calm = calm;
  }
}

const STARTING = "The telemetry store does not answer yet. This fills in by itself.";
const AWAY = "The server does not answer. This fills in by itself.";

function refusal(status, found) {
  const words = found?.error || found?.detail || "";
  if (status === 503) return new Refusal(words || STARTING, { calm: true });
  if (status === 401 || status === 403) return new Refusal(words || "You may not read this. Sign in again.");
  return new Refusal(words || `The server refused with ${status}.`);
}

// What was asked, so that an editor can show the mistake where it was made.
async function about(text, work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) error.question = text;
    throw error;
  }
}

export async function json(url, { signal, body } = {}) {
  return turn(async () => {
    const answer = await fetch(url, { signal, headers: { Accept: "application/json" }, ...(body ? { method: "POST", body } : {}) }).catch((error) => {
      if (error.name === "AbortError") throw error;
      throw new Refusal(AWAY, { calm: true });
    });
    // An answer that is cut off, because it is no longer wanted or the page is left, is none.
    const found = await answer.json().catch((error) => {
      if (error.name === "AbortError") throw error;
      return null;
    });
    if (!answer.ok || found?.status === "error") throw refusal(answer.status, found);
    if (found === null) throw new Refusal(AWAY, { calm: true });
    return found;
  });
}

// A long range has wide steps: what is drawn is never more than fits.
export function stepOf(range, points = POINTS_MAX) {
  const wanted = (range.until - range.from) / points;
  return Math.max(STEP_MIN, STEPS.find((step) => step >= wanted) ?? Math.ceil(wanted / 86400) * 86400);
}

export function filled(text, range, step, interval = INTERVAL) {
  const window = Math.max(SAMPLES * interval, step + interval);
  const span = Math.max(1, Math.round(range.until - range.from));
  return text.replaceAll("$__rate_interval", `${window}s`).replaceAll("$__interval", `${step}s`).replaceAll("$__range", `${span}s`);
}

// Steps lie on multiples of themselves, so that a refresh asks for the same moments again.
export function gridOf(range, step) {
  const start = Math.ceil(range.from / step) * step;
  return { start, end: Math.max(start, Math.floor(range.until / step) * step), step };
}

export async function matrix(text, range, step, { signal, interval } = {}) {
  const grid = gridOf(range, step);
  const asked = new URLSearchParams({ query: filled(text, range, step, interval), start: grid.start, end: grid.end, step });
  const found = await about(text, () => json(`/api/v1/query_range?${asked}`, { signal }));
  return { series: found.data.result, warnings: found.warnings ?? [], grid };
}

export async function vector(text, range, step, signal) {
  const asked = new URLSearchParams({ query: filled(text, range, step), time: range.until });
  const found = await about(text, () => json(`/api/v1/query?${asked}`, { signal }));
  const { result, resultType } = found.data;
  if (resultType === "scalar" || resultType === "string") return [{ metric: {}, value: result }];
  return resultType === "matrix" ? result.map((one) => ({ metric: one.metric, value: one.values.at(-1) })) : result;
}
