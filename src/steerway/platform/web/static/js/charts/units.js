// How values read, by their unit. The same units as in platform/web/charts.py.

const NOTHING = "–";
const DECIMAL = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
const BINARY = [[1024 ** 4, "TB"], [1024 ** 3, "GB"], [1024 ** 2, "MB"], [1024, "kB"], [1, "B"]];
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"]];

// Three digits that count, and no zeros that do not.
export function digits(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return String(Number(value.toFixed(1)));
  return size >= 0.001 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

function scaled(steps, value, between) {
  const size = Math.abs(value);
  const [one, name] = steps.find(([least]) => size >= least) ?? steps.at(-1);
  return `${digits(value / one)}${between}${name}`;
}

function plain(value) {
  return Math.abs(value) >= 1e4 ? scaled(DECIMAL, value, "") : digits(value);
}

const WRITERS = {
  "": plain,
  "count": plain,
  "requests/s": (value) => `${plain(value)}/s`,
  "per-second": (value) => `${plain(value)}/s`,
  "percent": (value) => `${digits(value)} %`,
  "ratio": (value) => `${digits(value * 100)} %`,
  "seconds": (value) => (value === 0 ? "0 s" : scaled(SPANS, value, " ")),
  "milliseconds": (value) => (value === 0 ? "0 ms" : scaled(SPANS, value / 1000, " ")),
  "bytes": (value) => (Math.abs(value) < 1 ? "0 B" : scaled(BINARY, value, " ")),
  "bytes/s": (value) => (Math.abs(value) < 1 ? "0 B/s" : `${scaled(BINARY, value, " ")}/s`),
  "cores": (value) => (Math.abs(value) < 1 ? `${digits(Number((value * 1000).toPrecision(2)))} mcores` : `${digits(value)} cores`),
};

// What stands before and behind a value as people read it; a value that is not there is a dash.
export function written(unit, value) {
  if (value === null || value === undefined || Number.isNaN(value)) return NOTHING;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return (WRITERS[unit] ?? ((number) => `${plain(number)} ${unit}`))(value).replace("-", "−");
}

// Steps of an axis: round in the unit that people read, so bytes and seconds have their own.
const POWERS = [1, 2, 5].flatMap((first) => Array.from({ length: 22 }, (_, index) => first * 10 ** (index - 9))).sort((a, b) => a - b);
const BYTES = [1, 2, 5, 10, 20, 50, 100, 200, 500].flatMap((first) => [1, 1024, 1024 ** 2, 1024 ** 3, 1024 ** 4].map((one) => first * one)).sort((a, b) => a - b);
const SECONDS = [...POWERS.filter((step) => step < 60), 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 432000, 864000, 1728000, 4320000, 8640000];

export function steps(unit) {
  if (unit.startsWith("bytes")) return BYTES;
  return unit === "seconds" ? SECONDS : POWERS;
}

// So that a quiet chart does not turn noise into mountains: what its axis reaches at least.
export const LEAST = { "ratio": 0.01, "percent": 1, "requests/s": 1, "per-second": 0.1, "count": 1, "seconds": 0.001, "milliseconds": 1, "bytes": 1024, "bytes/s": 1024, "cores": 0.01 };
