// Answers turned into columns on one grid. A moment without a sample is a gap and never a zero.

export const SERIES_MAX = 40; // lines that a person can still tell apart are far fewer

function number(text) {
  const value = text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
  return Number.isFinite(value) ? value : null;
}

// `{{version}}` becomes the label, `{{instance|last}}` the part behind its last full stop; without
// a pattern the labels speak for themselves.
export function named(metric, pattern, text) {
  if (pattern) {
    const name = pattern.replace(/\{\{\s*([\w.]+)\s*(\|\s*last)?\s*\}\}/g, (_, label, last) => (last ? (metric[label] ?? "").split(".").at(-1) : metric[label] ?? "")).trim();
    if (name) return name;
  }
  const { __name__: name = "", ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  if (!name && !pairs.length) return pattern ? "–" : text;
  return pairs.length ? `${name}{${pairs.join(", ")}}` : name;
}

function column(values, grid, length) {
  const found = new Array(length).fill(null);
  for (const [at, text] of values ?? []) {
    const index = Math.round((at - grid.start) / grid.step);
    if (index >= 0 && index < length) found[index] = number(text);
  }
  return found;
}

const compare = new Intl.Collator("en", { numeric: true }).compare;

// {times, series: [{name, labels, values}], hidden}: in the order of the queries, then by name.
export function frame(answers, queries) {
  const { grid } = answers[0];
  const length = Math.round((grid.end - grid.start) / grid.step) + 1;
  const times = Array.from({ length }, (_, index) => grid.start + index * grid.step);
  const series = answers.flatMap((answer, index) => answer.series
    .map((one) => ({ name: named(one.metric, queries[index].legend, queries[index].text), labels: one.metric, values: column(one.values, grid, length) }))
    .filter((one) => one.values.some((value) => value !== null))
    .sort((a, b) => compare(a.name, b.name)));
  return { times, step: grid.step, series: series.slice(0, SERIES_MAX), hidden: Math.max(0, series.length - SERIES_MAX) };
}

// In a stack, what is nothing all the time is not seen beside what is something.
export function seen(series) {
  const some = series.filter((one) => one.values.some(Boolean));
  return some.length ? some : series;
}

export function summary(values) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return { min: null, avg: null, max: null, last: null, sum: null };
  let [min, max, sum] = [known[0], known[0], 0];
  for (const value of known) { min = Math.min(min, value); max = Math.max(max, value); sum += value; }
  return { min, max, sum, avg: sum / known.length, last: known.at(-1) };
}

// Each series on top of those before it. One that is not known at a moment has no height there;
// where none of them is known, there is nothing.
export function stacked(series) {
  const length = series[0]?.values.length ?? 0;
  const isKnown = Array.from({ length }, (_, index) => series.some((one) => one.values[index] !== null));
  const below = new Array(length).fill(0);
  return series.map((one) => one.values.map((value, index) => {
    below[index] += value ?? 0;
    return isKnown[index] ? below[index] : null;
  }));
}
