// The one time range of a page. It lives in the address: ?since=1h, or ?from=…&until=….

const SPAN = /^(\d{1,6})([smhdw])$/;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const SINCE = "1h"; // as in platform/web/ranges.py
const ZONE = "steerway_zone";
const LONG_SECONDS = 86400;

// The server's clock counts: the page carries its "now".
const skew = (Date.now() - Date.parse(document.body.dataset.now || new Date().toISOString())) / 1000;
const listeners = new Set();

export function now() {
  return Date.now() / 1000 - skew;
}

export function seconds(text) {
  const found = SPAN.exec(text ?? "");
  return found ? Number(found[1]) * SECONDS[found[2]] : null;
}

function moment(text) {
  const parsed = /^\d+(\.\d+)?$/.test(text ?? "") ? Number(text) : Date.parse(text ?? "") / 1000;
  return Number.isFinite(parsed) ? parsed : null;
}

// A page about something that has a beginning, and perhaps an end, shows that time: `from/until`.
function windowOf(place) {
  const [from, until] = (place?.dataset.window ?? "").split("/").map(moment);
  return from ? { from, until: until ?? now(), isLive: !until, since: "" } : null;
}

// {from, until} in seconds; isLive when it ends now and so moves on.
export function current() {
  const asked = new URLSearchParams(location.search);
  const from = moment(asked.get("from"));
  const until = moment(asked.get("until"));
  if (from !== null && until !== null && until > from) return { from, until, isLive: false, since: "" };
  const own = windowOf(document.querySelector("[data-window]"));
  if (own) return own;
  const since = seconds(asked.get("since")) ? asked.get("since") : document.querySelector("[data-range]")?.dataset.range || SINCE;
  const end = now();
  return { from: end - seconds(since), until: end, isLive: true, since };
}

export function iso(at) {
  return `${new Date(at * 1000).toISOString().slice(0, 19)}Z`;
}

// The same query with another range: what links, forms and questions to the server carry.
export function withRange(query, range) {
  const next = new URLSearchParams(query);
  for (const name of ["since", "from", "until", "before"]) next.delete(name);
  if (range.since) next.set("since", range.since);
  else { next.set("from", iso(range.from)); next.set("until", iso(range.until)); }
  return next;
}

// Everybody on the page hears of it; the browser's back button comes back to the range before.
export function go(range) {
  const next = withRange(location.search, range);
  history.pushState(null, "", `${location.pathname}?${next}${location.hash}`);
  tell();
}

export function tell() {
  for (const listener of listeners) listener(current());
}

export function onRange(listener) {
  listeners.add(listener);
}

addEventListener("popstate", tell);

// ── how moments are written: UTC unless somebody wants their own clock

export function zone() {
  return localStorage.getItem(ZONE) === "local" ? "local" : "utc";
}

export function setZone(name) {
  localStorage.setItem(ZONE, name);
  tell();
}

function two(number) {
  return String(number).padStart(2, "0");
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function parts(at) {
  const date = new Date(at * 1000);
  const local = zone() === "local";
  const get = (name) => (local ? date[`get${name}`]() : date[`getUTC${name}`]());
  return { day: get("Date"), month: MONTHS[get("Month")], hour: two(get("Hours")), minute: two(get("Minutes")), second: two(get("Seconds")) };
}

export function clock(at) {
  const { hour, minute, second } = parts(at);
  return `${hour}:${minute}:${second}`;
}

// As short as the range allows.
export function label(at, span) {
  const { day, month, hour, minute, second } = parts(at);
  if (span > LONG_SECONDS * 3) return hour === "00" && minute === "00" ? `${day} ${month}` : `${day} ${month} ${hour}:${minute}`;
  if (span > LONG_SECONDS) return `${day} ${month} ${hour}:${minute}`;
  return span > 600 ? `${hour}:${minute}` : `${hour}:${minute}:${second}`;
}

// With the day where the range is longer than one; for tables and what is read aloud.
export function full(at, span) {
  const { day, month } = parts(at);
  return span > LONG_SECONDS ? `${day} ${month} ${clock(at)}` : clock(at);
}

export function zoneName() {
  if (zone() === "utc") return "UTC";
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
