// The charts of a page: asked when they come into sight, again while the range ends now, and
// never while nobody looks. Parts that the server writes follow the same range.

import { json, stepOf } from "./asking.js";
import { Evidence } from "./evidence.js";
import { Gauge, Stat, Table } from "./figures.js";
import { Panel } from "./panel.js";
import { current, iso, onRange, withRange } from "./times.js";

const KINDS = { stat: Stat, gauge: Gauge, table: Table, evidence: Evidence };
const REFRESH_MS = { least: 5000, most: 60000 };
const PART_MS = 15000;
const RETRY_MS = [2000, 4000, 8000, 16000, 32000];
const NEAR = "400px";

const panels = new Map();
const near = new Set();
let asking = new AbortController();
let timer = null;
let failures = 0;
let markers = [];

function find() {
  for (const card of document.querySelectorAll("[data-chart]")) {
    if (panels.has(card)) continue;
    panels.set(card, new (KINDS[JSON.parse(card.dataset.chart).kind] ?? Panel)(card));
    watcher.observe(card);
    widths.observe(card);
  }
  for (const part of document.querySelectorAll("[data-part]")) watcher.observe(part);
}

// What scrolls into sight later is asked for then.
const watcher = new IntersectionObserver((entries) => {
  const news = [];
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting && !near.has(target)) news.push(target);
    if (isIntersecting) near.add(target);
    else near.delete(target);
  }
  if (news.length) load(news, current());
}, { rootMargin: NEAR });

const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) panels.get(target)?.fit();
});

async function markersOf(range, signal) {
  const place = document.querySelector("[data-markers]");
  if (!place) return;
  const url = new URL(place.dataset.markers, location.href);
  url.search = new URLSearchParams([...url.searchParams, ["from", iso(range.from)], ["until", iso(range.until)]]);
  const found = await json(url, { signal }).catch(() => null);
  if (!found) return;
  markers = found.markers.map((one) => ({ ...one, at: Date.parse(one.at) / 1000 }));
  for (const panel of panels.values()) panel.mark(markers);
}

async function part(place, range, signal) {
  const url = new URL(place.dataset.part, location.href);
  url.search = withRange(url.search, range);
  const answer = await fetch(url, { signal, headers: { "HX-Request": "true" } }).catch(() => null);
  const text = await answer?.text().catch(() => null);
  if (!answer || text === null) return signal.aborted;
  if (!answer.ok) {
    // What was there stays, as long as it is only for a while.
    if (!place.dataset.html) place.replaceChildren(Object.assign(document.createElement("p"), { className: "chart-said", textContent: `The server refused with ${answer.status}.` }));
    return answer.status < 500;
  }
  // Somebody who reads inside, or has opened a row, is not interrupted.
  place.dataset.at = String(Date.now());
  if (place.dataset.html === text || place.dataset.kept || place.contains(document.activeElement) || place.querySelector("details[open]")) return true;
  place.dataset.html = text;
  place.innerHTML = text;
  place.dispatchEvent(new Event("filled", { bubbles: true }));
  return true;
}

async function load(targets, range) {
  const { signal } = asking;
  for (const target of targets) if (panels.has(target)) panels.get(target).loadedAt = Date.now();
  const results = await Promise.all([
    ...targets.map((target) => (panels.has(target) ? panels.get(target).load(range, signal) : part(target, range, signal))),
    markersOf(range, signal),
  ]);
  return results.every((well) => well !== false);
}

// ── again and again, while the range ends now

function wait(range) {
  clearTimeout(timer);
  if (!range.isLive || document.hidden || document.querySelector("[data-live-switch][aria-pressed=false]")) return;
  const step = stepOf(range) * 1000;
  const parts = [...near].filter((one) => one.dataset.ms).map((one) => Number(one.dataset.ms));
  const ms = failures ? RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] : Math.min(REFRESH_MS.most, Math.max(REFRESH_MS.least, step), ...parts);
  timer = setTimeout(round, ms);
}

async function round({ all = false } = {}) {
  const range = current();
  const { signal } = asking;
  const isDue = (one) => Date.now() - Number((panels.get(one)?.loadedAt ?? one.dataset.at) || 0) >= Number(one.dataset.ms ?? (panels.has(one) ? 0.8 * REFRESH_MS.least : PART_MS));
  const targets = [...near].filter((one) => one.isConnected && (all || isDue(one)));
  const isWell = await load(targets, range);
  if (signal.aborted) return;
  failures = isWell ? 0 : failures + 1;
  wait(range);
}

function again() {
  asking.abort();
  asking = new AbortController();
  near.clear();
  for (const card of document.querySelectorAll("[data-chart], [data-part]")) { watcher.unobserve(card); watcher.observe(card); }
  for (const place of document.querySelectorAll("[data-part]")) { delete place.dataset.html; delete place.dataset.kept; }
  wait(current());
}

export function redraw() {
  for (const panel of panels.values()) panel.fit();
}

export function start() {
  find();
  onRange(again);
  wait(current());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) round({ all: true }); });
  document.addEventListener("chart:added", () => find());
  document.addEventListener("live:switched", () => round({ all: true }));
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

// A chart whose questions were changed, as in explore: it is asked anew.
export function ask(card) {
  const old = panels.get(card);
  old?.plot?.destroy();
  panels.delete(card);
  near.delete(card);
  watcher.unobserve(card);
  find();
}

if (document.querySelector("[data-chart], [data-part]")) start();
