// What every page can do without the server: theme, copying, dialogs, keyboard, messages.

const root = document.documentElement;
const YEAR_SECONDS = 31536000;
// The keys of "go to": g, then one of these.
const GO = { b: "/", s: "/services", d: "/deployments", c: "/changes", l: "/log", r: "/releases", e: "/explore", h: "/hosts" };
const GO_MS = 1200;
const COPIED_MS = 1600;
const TOAST_MS = 9000;

// ── theme: as the system, light, dark; remembered in a cookie so that the server paints it first
const THEMES = ["", "light", "dark"];

function switchTheme() {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme || "") + 1) % THEMES.length];
  if (next) root.dataset.theme = next;
  else delete root.dataset.theme;
  document.cookie = `steerway_theme=${next}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
  say(`Theme: ${next || "as the system"}`);
}

// ── words for screen readers
function say(words) {
  const region = document.getElementById("said");
  if (region) region.textContent = words;
}

// ── copying
async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("done");
  say("Copied");
  setTimeout(() => button.classList.remove("done"), COPIED_MS);
}

// ── dialogs: any element with data-open="id" opens it; data-close closes its own
function open(dialog) {
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.dispatchEvent(new Event("opened"));
}

function onClick(event) {
  const on = (selector) => event.target.closest?.(selector);
  if (on("[data-theme-switch]")) return switchTheme();
  if (on("[data-copy]")) return void copy(on("[data-copy]"));
  if (on("[data-open]")) return open(document.getElementById(on("[data-open]").dataset.open));
  if (on("[data-close]")) return on("dialog").close();
  if (on("[data-dismiss]")) return on(".toast").remove();
  // A click on the backdrop lands on the dialog itself, outside its box.
  if (event.target instanceof HTMLDialogElement) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
  return undefined;
}

// ── keyboard
let goUntil = 0;

function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable]");
}

function onKey(event) {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return open(document.getElementById("palette"));
  }
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return undefined;
  if (event.timeStamp < goUntil && document.querySelector(`a[href="${GO[event.key]}"]`)) {
    location.assign(GO[event.key]);
    return undefined;
  }
  goUntil = event.key === "g" ? event.timeStamp + GO_MS : 0;
  if (event.key === "?") open(document.getElementById("keys"));
  if (event.key === "/") {
    event.preventDefault();
    const find = document.querySelector("main input[type=search]");
    if (find) find.focus();
    else open(document.getElementById("palette"));
  }
  return undefined;
}

// ── filters apply as they are changed; a button does it without scripts
function onChange(event) {
  const form = event.target.closest?.("form[data-auto]");
  if (form && event.target.matches("select, input[type=checkbox], input[type=date]")) form.requestSubmit();
}

// ── sending twice is prevented where it is seen
function onSubmit(event) {
  for (const button of event.target.querySelectorAll("button[type=submit], button:not([type])")) {
    setTimeout(() => { button.disabled = true; });
  }
}

document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
document.addEventListener("change", onChange);
document.addEventListener("submit", onSubmit);
// Coming back with the browser's button finds the page as it was left: buttons must work again.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("button:disabled").forEach((button) => { button.disabled = false; });
});
// Good news leaves by itself; anything else waits to be read.
for (const toast of document.querySelectorAll(".toast.good, .toast.info")) setTimeout(() => toast.remove(), TOAST_MS);
