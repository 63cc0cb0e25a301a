// The control of a page's time range: the last minutes, hours or days, or two moments; UTC or
// the clock of whoever looks; and whether the page follows the present.

import { clock, current, full, go, onRange, setZone, withRange, zone, zoneName } from "./times.js";

const control = document.querySelector("[data-range]");
const NAMES = { "5m": "Last 5 minutes", "15m": "Last 15 minutes", "30m": "Last 30 minutes", "1h": "Last hour", "3h": "Last 3 hours", "6h": "Last 6 hours", "12h": "Last 12 hours", "24h": "Last 24 hours", "2d": "Last 2 days", "7d": "Last 7 days", "30d": "Last 30 days" };
const WIDER = 2;

const part = (name) => control.querySelector(`[data-${name}]`);

// What a field for a moment holds: without a zone, read in the one that is chosen.
function written(at) {
  const offset = zone() === "local" ? new Date(at * 1000).getTimezoneOffset() * 60 : 0;
  return new Date((at - offset) * 1000).toISOString().slice(0, 19);
}

function read(text) {
  return (zone() === "local" ? Date.parse(text) : Date.parse(`${text}Z`)) / 1000;
}

function show() {
  const range = current();
  const span = range.until - range.from;
  const words = range.since ? NAMES[range.since] ?? `Last ${range.since}` : `${full(range.from, 1e6)} – ${full(range.until, 1e6)}`;
  part("range-words").textContent = words;
  part("zone").textContent = zone() === "utc" ? "UTC" : "Local";
  for (const one of control.querySelectorAll("[data-zone-name]")) one.textContent = zoneName();
  for (const link of control.querySelectorAll("[data-since]")) {
    if (link.dataset.since === range.since) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    link.search = withRange(location.search, { since: link.dataset.since });
  }
  part("from").value = written(range.from);
  part("until").value = written(range.until);
  part("live-switch").hidden = !range.isLive;
  control.dataset.span = String(span);
  for (const time of document.querySelectorAll("[data-log-time]")) time.firstChild.data = clock(Date.parse(time.dateTime) / 1000);
  // Links to other pages of the same service keep the range.
  for (const link of document.querySelectorAll("a[data-keeps-range]")) link.search = withRange(link.search, range);
}

function close() {
  part("range-open").open = false;
}

// Where the server writes the page itself, a new range is a new page.
function choose(range) {
  close();
  if (control.dataset.by === "page") location.search = withRange(location.search, range);
  else go(range);
}

function shift(factor) {
  const { from, until } = current();
  const span = until - from;
  choose({ from: from + span * factor, until: until + span * factor });
}

function onClick(event) {
  const on = (selector) => event.target.closest(selector);
  if (on("[data-since]") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    choose({ since: on("[data-since]").dataset.since });
  } else if (on("[data-zone]")) {
    setZone(zone() === "utc" ? "local" : "utc");
  } else if (on("[data-earlier]")) shift(-0.5);
  else if (on("[data-later]")) shift(0.5);
  else if (on("[data-wider]")) {
    const { from, until } = current();
    const more = ((until - from) * (WIDER - 1)) / 2;
    choose({ from: from - more, until: until + more });
  } else if (on("[data-live-switch]")) {
    const button = on("[data-live-switch]");
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    document.dispatchEvent(new Event("live:switched"));
  }
}

// A search keeps the range of its page.
function carry(event) {
  const form = event.target;
  if (!form.matches?.("form[data-keeps]")) return;
  for (const old of form.querySelectorAll("[data-carried]")) old.remove();
  for (const [name, value] of withRange("", current())) {
    const input = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    input.dataset.carried = "";
    form.append(input);
  }
  for (const field of form.querySelectorAll("input, select")) if (!field.value) field.disabled = true;
}

function onSubmit(event) {
  event.preventDefault();
  event.stopPropagation();
  const [from, until] = [read(part("from").value), read(part("until").value)];
  const isRight = Number.isFinite(from) && until > from;
  part("range-wrong").hidden = isRight;
  if (isRight) choose({ from: Number(from), until: Number(until) });
}

if (control) {
  show();
  onRange(show);
  control.addEventListener("click", onClick);
  control.querySelector("form").addEventListener("submit", onSubmit);
  document.addEventListener("submit", carry);
  addEventListener("pageshow", () => { for (const field of document.querySelectorAll("form[data-keeps] :disabled")) field.disabled = false; });
  // What arrives later has links that keep the range too.
  document.addEventListener("filled", show);
  document.addEventListener("click", (event) => { if (!control.contains(event.target)) close(); });
  control.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !part("range-open").open) return;
    close();
    part("range-open").querySelector("summary").focus();
  });
}
