// One plot, drawn by uPlot: lines, areas, stacks or bars, with thresholds and markers.

import { stacked } from "./frames.js";
import { label } from "./times.js";
import { LEAST, digits, steps, written } from "./units.js";

const FONT = "11px Inter, system-ui, sans-serif";
const CROSSHAIR = "page"; // one for all charts of a page
const COLOURS = ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6", "--s7", "--s8"];
const DASHES = [[], [6, 4], [2, 3], [8, 3, 2, 3], [1, 4]];
const AXIS = 52;
const DRAG_MIN = 6; // pixels: less is a click
const LONELY = 2; // points beside nothing are drawn as points

const probe = document.createElement("i");

export function colour(name) {
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

// After eight colours the lines are dashed: nobody tells sixteen colours apart.
export function styleOf(index, tone) {
  return { name: tone ?? COLOURS[index % COLOURS.length], dash: DASHES[Math.floor(index / COLOURS.length) % DASHES.length] };
}

export function theme() {
  return `${document.documentElement.dataset.theme} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
}

function faded(solid, alpha) {
  return `color-mix(in oklab, ${solid} ${Math.round(alpha * 100)}%, transparent)`;
}

function washed(solid) {
  return (plot) => {
    const { top, height } = plot.bbox;
    if (!Number.isFinite(top) || !(height > 0)) return "transparent";
    const wash = plot.ctx.createLinearGradient(0, top, 0, top + height);
    wash.addColorStop(0, faded(solid, 0.24));
    wash.addColorStop(1, faded(solid, 0.01));
    return wash;
  };
}

// A point with gaps on both sides would be no line at all.
function lonely(values) {
  return (_, __, shown) => (shown ? undefined : values.flatMap((value, index) => (value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null ? [index] : [])));
}

function line(plot, from, to, { ink, dash, width = 1 }) {
  const { ctx } = plot;
  const dot = devicePixelRatio;
  ctx.strokeStyle = ink;
  ctx.lineWidth = width * dot;
  ctx.setLineDash(dash.map((length) => length * dot));
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
}

function drawThresholds(plot, spec) {
  const { bbox } = plot;
  for (const one of spec.thresholds) {
    const y = plot.valToPos(one.value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    line(plot, [bbox.left, y], [bbox.left + bbox.width, y], { ink: colour(`--${one.tone}`), dash: [6, 4] });
    plot.ctx.setLineDash([]);
    plot.ctx.fillStyle = colour(`--${one.tone}-ink`);
    plot.ctx.font = `${10.5 * devicePixelRatio}px Inter, system-ui, sans-serif`;
    plot.ctx.textAlign = "left";
    plot.ctx.fillText(one.words || written(spec.unit, one.value), bbox.left + 4 * devicePixelRatio, y - 5 * devicePixelRatio);
  }
}

function drawMarkers(plot, markers) {
  const { bbox } = plot;
  for (const one of markers) {
    const x = plot.valToPos(one.at, "x", true);
    if (x >= bbox.left && x <= bbox.left + bbox.width) line(plot, [x, bbox.top], [x, bbox.top + bbox.height], { ink: colour(`--${one.tone}`), dash: [3, 3] });
  }
}

function ticksOf(spec) {
  if (spec.unit === "ratio" || spec.unit === "percent") return (_, ticks) => ticks.map((tick) => (spec.unit === "ratio" ? `${digits(tick * 100)} %` : `${digits(tick)} %`));
  return (_, ticks) => ticks.map((tick) => written(spec.unit, tick).replace(/\/s$/, "").replace(/cores$/, ""));
}

function heightOf(plot, spec, max) {
  const least = spec.top ?? LEAST[spec.unit] ?? 0;
  const marks = spec.thresholds.map((one) => one.value).filter((value) => value <= (max ?? 0) * 2.5);
  return Math.max(least, (max ?? 0) * 1.08, ...marks.map((value) => value * 1.1));
}

function seriesOf(spec, frame, columns, styles) {
  const isStack = spec.kind === "stack" || spec.kind === "bar";
  return frame.series.map((one, index) => {
    const ink = colour(styles[index].name);
    // Areas on top of each other have no edge: it would be drawn where one of them is not known.
    const filled = isStack ? faded(ink, spec.kind === "bar" ? 0.85 : 0.52) : spec.kind === "area" ? washed(ink) : undefined;
    return {
      label: one.name, stroke: ink, dash: styles[index].dash, width: isStack ? 0 : 1.75, spanGaps: false, fill: filled,
      paths: spec.kind === "bar" ? window.uPlot.paths.bars({ size: [0.82, 40], align: 1 }) : undefined,
      points: isStack ? { show: false } : { size: 5, fill: ink, filter: lonely(columns[index]) },
    };
  });
}

// The plot of a frame in `place`. `hear` is told of the crosshair and of a chosen range.
export function draw(place, { spec, frame, styles, markers, range, height, hear }) {
  const isStack = spec.kind === "stack" || spec.kind === "bar";
  const columns = isStack ? stacked(frame.series) : frame.series.map((one) => one.values);
  const axis = { stroke: colour("--ink-3"), font: FONT, ticks: { show: false } };
  const span = range.until - range.from;
  const series = seriesOf(spec, frame, columns, styles);
  // Stacks are drawn from the top one down, each over what is above it.
  const order = isStack ? columns.map((_, index) => columns.length - 1 - index) : columns.map((_, index) => index);
  const plot = new window.uPlot({
    width: place.clientWidth, height, legend: { show: false }, padding: [10, 10, 0, 0],
    cursor: {
      y: false, points: { size: 7 }, drag: { x: true, y: false, setScale: false, dist: DRAG_MIN },
      sync: { key: CROSSHAIR, scales: ["x", null], filters: { pub: (kind) => kind === "mousemove" || kind === "mouseleave" } },
    },
    scales: { x: { time: true, range: [range.from, range.until] }, y: { range: (u, min, max) => [Math.min(0, (min ?? 0) * 1.08), heightOf(u, spec, max)] } },
    axes: [
      { ...axis, size: 24, gap: 6, space: 80, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => label(tick, span)) },
      { ...axis, size: AXIS, gap: 6, space: 32, incrs: steps(spec.unit === "ratio" ? "" : spec.unit), grid: { stroke: colour("--line"), width: 1 }, values: ticksOf(spec) },
    ],
    tzDate: (at) => (hear.zone() === "utc" ? window.uPlot.tzDate(new Date(at * 1000), "Etc/UTC") : new Date(at * 1000)),
    series: [{}, ...order.map((index) => series[index])],
    // Each is filled down to the next only, so that colours do not mix.
    bands: isStack ? order.slice(1).map((_, index) => ({ series: [index + 1, index + 2] })) : undefined,
    hooks: {
      draw: [(u) => { u.ctx.save(); drawThresholds(u, spec); drawMarkers(u, markers()); u.ctx.restore(); hear.drawn(u); }],
      setCursor: [(u) => hear.cursor(u.cursor.idx ?? null)],
      setSelect: [(u) => {
        if (u.select.width < DRAG_MIN) return;
        const [from, until] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
        u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        hear.chosen(from, until);
      }],
    },
  }, [frame.times, ...order.map((index) => columns[index])], place);
  plot.over.dataset.over = "";
  return plot;
}
