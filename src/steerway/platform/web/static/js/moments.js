// Ages and running clocks move on between two answers of the server.

const STEPS = [[60, "s", 1], [3600, "min", 60], [86400, "h", 3600], [Infinity, "d", 86400]];
const FULL_DAYS = 30;
const AGES_MS = 10000;
const CLOCKS_MS = 1000;

function age(seconds) {
  if (seconds < 5) return "just now";
  const [, unit, size] = STEPS.find(([limit]) => seconds < limit);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

// The same words as `duration` in ui.py.
function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

// The server's clock counts: the page carries its "now", the difference is kept.
const skew = Date.now() - Date.parse(document.body.dataset.now || new Date().toISOString());

function seconds(since) {
  return (Date.now() - skew - Date.parse(since)) / 1000;
}

function ages() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const passed = seconds(time.dateTime);
    if (passed >= 0 && passed < FULL_DAYS * 86400) time.textContent = age(passed);
  }
}

function clocks() {
  for (const time of document.querySelectorAll("time[data-since]")) time.textContent = clock(seconds(time.dataset.since));
}

setInterval(ages, AGES_MS);
setInterval(clocks, CLOCKS_MS);
