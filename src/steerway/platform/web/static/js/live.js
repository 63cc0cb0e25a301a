// One stream of events a page; parts of the page that an event concerns are fetched again.
//
// A part is an element with an id and data-live: patterns of events, separated by spaces.
//   deployment.*            any event whose type matches
//   deployment.*@DEP-12     and whose subject is DEP-12
//   *@service:shop          and whose service is shop
// With data-every it is also fetched every two seconds.
// Parts answer with the page they are on: the page is fetched once and its parts are exchanged.

const COALESCE_MS = 120;
const BEHIND_MAX = 100; // The same number as in app/events.py.
const LOOK_MS = 2000;
const RETRY_MS = [500, 1000, 2000, 5000, 10000];

const body = document.body;
let seq = Number(body.dataset.seq || 0);
let source = null;
let failures = 0;
let timer = null;
let fetching = false;
let waiting = new Set();

function parts() {
  return [...document.querySelectorAll("[data-live][id]")];
}

function matches(patterns, event) {
  return patterns.split(/\s+/).filter(Boolean).some((pattern) => {
    const [type, about] = pattern.split("@");
    const kind = type === "*" || type === event.type || (type.endsWith(".*") && event.type.startsWith(type.slice(0, -1)));
    if (!kind || !about) return kind;
    const [field, value] = about.includes(":") ? about.split(/:(.*)/) : ["subject", about];
    return event[field] === value;
  });
}

function show(state) {
  for (const place of document.querySelectorAll(".live")) {
    place.dataset.state = state;
    place.textContent = state === "live" ? "Live" : "Reconnecting…";
  }
}

function want(elements) {
  for (const element of elements) waiting.add(element.id);
  if (waiting.size && !timer) timer = setTimeout(refetch, COALESCE_MS);
}

// Somebody who types, or has a dialog open inside a part, is not interrupted.
function busy(element) {
  const at = document.activeElement;
  return element.querySelector("dialog[open]") || (element.contains(at) && at.matches("input, textarea, select"));
}

async function refetch() {
  timer = null;
  if (fetching || document.hidden) return;
  const wanted = [...waiting].map((id) => document.getElementById(id)).filter(Boolean);
  const elements = wanted.filter((element) => !busy(element));
  const held = wanted.filter(busy).map((element) => element.id);
  waiting = new Set(held);
  if (!elements.length) return;
  fetching = true;
  const [first, ...others] = elements.map((element) => `#${CSS.escape(element.id)}`);
  try {
    await window.htmx.ajax("GET", location.pathname + location.search, {
      source: body, target: first, select: first, swap: "outerMorph",
      selectOOB: others.map((selector) => `${selector}:outerMorph`).join(",") || null,
    });
  } finally {
    fetching = false;
    if (waiting.size > held.length) want([]);
  }
}

function receive(message) {
  const event = JSON.parse(message.data);
  if (event.seq <= seq) return;
  seq = event.seq;
  want(parts().filter((element) => matches(element.dataset.live, event)));
}

function connect() {
  source = new EventSource(`/events?after=${seq}`);
  source.addEventListener("open", () => {
    failures = 0;
    show("live");
  });
  source.addEventListener("log", receive);
  // The server says on connecting where the log stands. It sends what was missed, unless that
  // is too much: then everything on the page may be stale.
  source.addEventListener("hello", (message) => {
    const newest = Number(message.data);
    if (newest - seq <= BEHIND_MAX) return;
    seq = newest;
    want(parts());
  });
  source.addEventListener("error", () => {
    source.close();
    show("reconnecting");
    setTimeout(connect, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
  });
}

// What moves without events, as a log that grows, is looked at every few seconds; so is what
// came while somebody was typing or another answer was on its way.
function look() {
  want(parts().filter((element) => element.dataset.every !== undefined));
}

if (body.dataset.seq !== undefined && body.dataset.seq !== "") {
  // The stream must not hold back the page's own load, nor outlive it.
  setTimeout(connect);
  setInterval(look, LOOK_MS);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) { connect(); want(parts()); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && waiting.size) want([]); });
}
