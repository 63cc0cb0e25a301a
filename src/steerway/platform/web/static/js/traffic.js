// Traffic while one looks: two charts and the same in a table, by version, from
// /api/services/NAME/traffic. The newest version is a solid line in the colour of Steerway, those
// before it are dashed, so that nobody has to tell them apart by colour. What is not known is a gap.

const LOOK_MS = 2000;
const HEIGHTS = { requests: 150, failed: 92 };
// The newest version first: the name of its colour, and its dashes.
const STYLES = [["--brand", []], ["--old", [6, 4]], ["--warn", [2, 3]], ["--ink-3", [1, 4]]];
const REQUESTS_SHOWN_MIN = 1; // the axis is never so fine that one request fills it
const FAILED_SHOWN_MIN = 0.05;
const FONT = "11px Inter, system-ui, sans-serif";

const cards = [...document.querySelectorAll("[data-traffic]")].map((element) => ({
  element, url: element.dataset.traffic, environment: element.dataset.environment,
  charts: {}, drawn: "", at: null, found: null,
}));

function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function percent(ratio) {
  if (ratio === null || ratio === undefined) return "–";
  const value = ratio * 100;
  return `${Number(value.toFixed(value >= 10 ? 0 : 1))} %`;
}

function perSecond(value) {
  if (value === null || value === undefined) return "–";
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

function clock(seconds) {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}

// ── drawing

function markers(card) {
  return (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px Inter, system-ui, sans-serif`;
    ctx.fillStyle = ctx.strokeStyle = card.ink;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const marker of card.found.markers) {
      const x = plot.valToPos(Date.parse(marker.at) / 1000, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (!plot.isFirst) continue;
      const isRight = x > bbox.left + bbox.width * 0.75;
      ctx.textAlign = isRight ? "right" : "left";
      ctx.fillText(marker.version, x + (isRight ? -4 : 4) * devicePixelRatio, bbox.top + 9 * devicePixelRatio);
    }
    ctx.restore();
  };
}

function chart(card, kind, place) {
  const isRequests = kind === "requests";
  const grid = { stroke: colour("--line"), width: 1 };
  const axis = { stroke: colour("--ink-3"), font: FONT, ticks: { show: false }, grid };
  const least = isRequests ? REQUESTS_SHOWN_MIN : FAILED_SHOWN_MIN;
  const plot = new window.uPlot({
    width: place.clientWidth, height: HEIGHTS[kind], legend: { show: false }, padding: [8, 20, isRequests ? 6 : 0, 0],
    tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: card.environment } },
    scales: {
      x: { range: () => card.range },
      y: { range: (_, __, max) => [0, Math.max(least, (max || 0) * (isRequests ? 1.2 : 1.1))] },
    },
    axes: [
      { ...axis, size: 22, space: 70, show: !isRequests, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => clock(tick).slice(0, 5)), incrs: [60, 120, 300] },
      { ...axis, size: 44, space: 34, values: (_, ticks) => ticks.map((tick) => (isRequests ? String(tick) : percent(tick))) },
    ],
    series: [{}, ...card.series.map((_, index) => ({
      stroke: card.colours[index], dash: STYLES[card.style(index)][1], width: 2, spanGaps: false, points: { show: false },
    }))],
    hooks: { draw: [markers(card)], setCursor: [(u) => point(card, u.cursor.idx)] },
  }, [[], ...card.series.map(() => [])], place);
  plot.isFirst = isRequests;
  return plot;
}

function draw(card) {
  const theme = getComputedStyle(document.documentElement).colorScheme + (matchMedia("(prefers-color-scheme: dark)").matches ? "d" : "l");
  const wanted = `${theme} ${document.documentElement.dataset.theme} ${card.series.map((one) => one.deployment || one.version).join(" ")}`;
  if (card.drawn !== wanted) {
    card.style = (index) => Math.min(card.series.length - 1 - index, STYLES.length - 1);
    card.colours = card.series.map((_, index) => colour(STYLES[card.style(index)][0]));
    card.ink = colour("--ink-3");
    for (const place of card.element.querySelectorAll("[data-plot]")) {
      card.charts[place.dataset.plot]?.destroy();
      place.setAttribute("role", "img");
      place.setAttribute("aria-label", `${place.previousElementSibling.textContent} by version; the table below has the numbers`);
      card.charts[place.dataset.plot] = chart(card, place.dataset.plot, place);
    }
    card.drawn = wanted;
  }
  const { times } = card.found;
  card.charts.requests.setData([times, ...card.series.map((one) => one.requests_per_second)]);
  card.charts.failed.setData([times, ...card.series.map((one) => one.failed_ratio)]);
}

// ── the table

function cell(row, text, name = "td") {
  const found = document.createElement(name);
  found.textContent = text;
  if (name === "td") found.className = "right";
  row.append(found);
  return found;
}

function key(index, card) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "line-key");
  svg.setAttribute("viewBox", "0 0 20 8");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const shape = { x1: 0, x2: 20, y1: 4, y2: 4, stroke: card.colours[index], "stroke-dasharray": STYLES[card.style(index)][1].join(" ") };
  for (const [name, value] of Object.entries(shape)) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

function means(one) {
  let requests = 0, failed = 0, looks = 0;
  one.requests_per_second.forEach((value, index) => {
    if (value === null) return;
    looks += 1;
    requests += value;
    failed += value * (one.failed_ratio[index] ?? 0);
  });
  return { requests: looks ? requests / looks : null, failed: requests ? failed / requests : null };
}

function table(card) {
  const last = card.found.times.length - 1;
  const index = card.at ?? last;
  const rows = card.series.map((one, number) => {
    const row = document.createElement("tr");
    const mean = means(one);
    const isTwice = card.series.some((other) => other !== one && other.version === one.version);
    const head = cell(row, isTwice ? `${one.version} (${one.deployment})` : one.version, "th");
    head.scope = "row";
    head.prepend(key(number, card));
    cell(row, perSecond(one.requests_per_second[index]));
    cell(row, perSecond(mean.requests));
    const ratio = card.at === null ? mean.failed : one.failed_ratio[index];
    cell(row, percent(ratio)).classList.toggle("bad-share", ratio > 0);
    return row;
  });
  card.element.querySelector("tbody").replaceChildren(...rows.reverse());
  card.element.querySelector("[data-at]").textContent = card.at === null ? "" : `at ${clock(card.found.times[index])} UTC`;
}

// The table follows the pointer.
function point(card, index) {
  const at = index ?? null;
  if (at === card.at || !card.found) return;
  card.at = at;
  table(card);
}

// ── what came

function show(card, found) {
  const part = (name) => card.element.querySelector(`[data-${name}]`);
  card.found = { ...found, markers: found.markers.filter((one) => one.environment === card.environment) };
  card.series = found.series.filter((one) => one.environment === card.environment);
  const now = Date.now() / 1000 - skew;
  card.range = [now - found.window_seconds, now];
  const hasAny = card.series.length > 0;
  part("plots").hidden = part("numbers").hidden = !hasAny;
  part("nothing").hidden = hasAny && found.is_live;
  part("nothing").textContent = found.is_live
    ? "No requests in the last five minutes."
    : "No data: the router was not heard of just now.";
  if (!hasAny) return;
  draw(card);
  table(card);
}

const skew = (Date.now() - Date.parse(document.body.dataset.now)) / 1000;

async function look() {
  if (document.hidden) return;
  for (const url of new Set(cards.map((card) => card.url))) {
    const answer = await fetch(url).catch(() => null);
    if (!answer?.ok) continue;
    const found = await answer.json();
    for (const card of cards) if (card.url === url) show(card, found);
  }
}

function redraw() {
  for (const card of cards) if (card.series?.length) { draw(card); table(card); }
}

if (cards.length) {
  look();
  setInterval(look, LOOK_MS);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => {
    for (const card of cards) for (const [kind, plot] of Object.entries(card.charts)) {
      const width = plot.root.parentElement.clientWidth;
      if (width && width !== plot.width) plot.setSize({ width, height: HEIGHTS[kind] });
    }
  }).observe(document.body);
}
