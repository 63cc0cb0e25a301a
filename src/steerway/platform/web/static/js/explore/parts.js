// Lists of explore: older rows are put below those that are there.

async function append(link) {
  const place = link.closest("[data-more-of]");
  link.setAttribute("aria-busy", "true");
  const answer = await fetch(link.dataset.append, { headers: { "HX-Request": "true" } }).catch(() => null);
  link.removeAttribute("aria-busy");
  if (!answer?.ok) { location.assign(link.href); return; }
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  const list = place.parentElement.querySelector("ol.log-lines, tbody");
  const rows = found.querySelectorAll("ol.log-lines > li, tbody > tr");
  const more = found.querySelector("[data-more-of]");
  list.append(...rows);
  // Who has read on is not thrown back to the newest rows.
  place.parentElement.closest("[data-part]").dataset.kept = "yes";
  if (more) place.replaceWith(more);
  else place.remove();
  rows[0]?.querySelector("summary, a")?.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-append]");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  append(link);
});
