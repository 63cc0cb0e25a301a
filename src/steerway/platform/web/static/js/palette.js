// Jump to anything: a dialog, a field, a list that the server answers; all of it by keyboard.

const TYPING_MS = 90;

const dialog = document.getElementById("palette");
const input = dialog?.querySelector("input");
const hits = dialog?.querySelector(".hits");
let timer = null;
let asked = 0;

function options() {
  return [...hits.querySelectorAll("[role=option]")];
}

function select(index) {
  const all = options();
  if (!all.length) return input.removeAttribute("aria-activedescendant");
  const at = (index + all.length) % all.length;
  all.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
  input.setAttribute("aria-activedescendant", all[at].id);
  all[at].scrollIntoView({ block: "nearest" });
  return undefined;
}

function selected() {
  return options().findIndex((option) => option.getAttribute("aria-selected") === "true");
}

async function ask() {
  const number = ++asked;
  const response = await fetch(`${dialog.dataset.source}?q=${encodeURIComponent(input.value)}`, { headers: { "HX-Request": "true" } });
  const text = await response.text();
  if (number !== asked || !response.ok) return;
  hits.innerHTML = text;
  select(0);
  document.getElementById("said").textContent = `${options().length} found`;
}

function onKey(event) {
  const moves = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in moves) {
    event.preventDefault();
    select(selected() + moves[event.key]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    const chosen = options()[selected()];
    if (chosen && (event.ctrlKey || event.metaKey)) window.open(chosen.href, "_blank", "noopener");
    else chosen?.click();
  }
}

if (dialog) {
  dialog.addEventListener("opened", () => { input.select(); ask(); });
  input.addEventListener("keydown", onKey);
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, TYPING_MS); });
  hits.addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) select(options().indexOf(option));
  });
}
