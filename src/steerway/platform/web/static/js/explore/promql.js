// What a question in PromQL is about where the caret stands, and where a mistake may be.

export const FUNCTIONS = ("abs absent absent_over_time avg_over_time ceil changes clamp clamp_max clamp_min count_over_time day_of_month day_of_week day_of_year "
  + "days_in_month delta deriv exp floor histogram_avg histogram_count histogram_fraction histogram_quantile histogram_sum hour idelta increase irate label_join "
  + "label_replace last_over_time ln log10 log2 max_over_time min_over_time minute month predict_linear present_over_time quantile_over_time rate resets round "
  + "scalar sgn sort sort_by_label sort_by_label_desc sort_desc sqrt stddev_over_time stdvar_over_time sum_over_time time timestamp vector year").split(" ");
export const AGGREGATIONS = "avg bottomk count count_values group max min quantile stddev stdvar sum topk".split(" ");
const WORDS = ["by", "without", "on", "ignoring", "group_left", "group_right", "offset", "and", "or", "unless", "bool"];
export const SPANS = ["$__rate_interval", "1m", "5m", "15m", "1h", "6h", "1d"];
const GROUPS = /\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)$/;

// The text before the caret without its finished strings, and the string that is still open.
function opened(text) {
  let quote = "";
  let at = -1;
  for (let index = 0; index < text.length; index += 1) {
    const one = text[index];
    if (quote && one === "\\" && quote !== "`") index += 1;
    else if (one === quote) quote = "";
    else if (!quote && /["'`]/.test(one)) [quote, at] = [one, index];
  }
  return quote ? at : -1;
}

function metricBefore(text) {
  return /([a-zA-Z_:][\w:]*)\s*$/.exec(text)?.[1] ?? "";
}

// {kind, typed, from, metric, label, conditions}: what is being typed and since which character.
export function context(text, caret) {
  const before = text.slice(0, caret);
  const string = opened(before);
  const outside = string < 0 ? before : before.slice(0, string);
  const brace = outside.lastIndexOf("{");
  const isInside = brace > outside.lastIndexOf("}");
  if (isInside) {
    const metric = metricBefore(outside.slice(0, brace));
    const inner = before.slice(brace + 1);
    if (string >= 0) {
      const label = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*$/.exec(outside)?.[1] ?? "";
      const others = before.slice(brace + 1, string).replace(/,?\s*[a-zA-Z_]\w*\s*(?:=~|!~|!=|=)\s*$/, "");
      return { kind: "value", typed: before.slice(string + 1), from: string + 1, metric, label, others };
    }
    const typed = /[a-zA-Z_]\w*$/.exec(inner)?.[0] ?? "";
    return { kind: /^\s*$|,\s*\w*$|^\s*\w*$/.test(inner) ? "label" : "", typed, from: caret - typed.length, metric };
  }
  if (string >= 0) return { kind: "", typed: "", from: caret };
  if (before.lastIndexOf("[") > before.lastIndexOf("]")) {
    const typed = before.slice(before.lastIndexOf("[") + 1);
    return { kind: "span", typed, from: caret - typed.length };
  }
  const typed = /[a-zA-Z_:][\w:]*$/.exec(before)?.[0] ?? "";
  if (GROUPS.test(before)) {
    const metric = /([a-zA-Z_:][\w:]*)\s*(?:\{[^}]*\})?\s*(?:\[|\)|$)/.exec(text.slice(caret).replace(/^[^(]*\(/, ""))?.[1] ?? "";
    return { kind: "label", typed, from: caret - typed.length, metric: FUNCTIONS.includes(metric) ? "" : metric };
  }
  return { kind: "name", typed, from: caret - typed.length };
}

function score(word, typed) {
  const [a, b] = [word.toLowerCase(), typed.toLowerCase()];
  if (a.startsWith(b)) return 0;
  return a.split(/[_:]/).some((part) => part.startsWith(b)) ? 1 : a.includes(b) ? 2 : -1;
}

export function matching(words, typed, most = 12) {
  return words.map((word) => [score(word.text, typed), word]).filter(([found]) => found >= 0)
    .sort(([a, x], [b, y]) => a - b || x.text.length - y.text.length || (x.text < y.text ? -1 : 1)).slice(0, most).map(([, word]) => word);
}

export function spoken() {
  return [
    ...AGGREGATIONS.map((text) => ({ text, detail: "aggregation", after: " (" })),
    ...FUNCTIONS.map((text) => ({ text, detail: "function", after: "(" })),
    ...WORDS.map((text) => ({ text, detail: "word", after: " " })),
  ];
}

// ── where the mistake is: the server names what it met, this finds it

const PAIRS = { ")": "(", "]": "[", "}": "{" };

function unbalanced(text) {
  const open = [];
  let quote = "";
  for (let index = 0; index < text.length; index += 1) {
    const one = text[index];
    if (quote) {
      if (one === "\\" && quote !== "`") index += 1;
      else if (one === quote) quote = "";
    } else if (/["'`]/.test(one)) quote = one;
    else if ("([{".includes(one)) open.push(index);
    else if (one in PAIRS && (!open.length || text[open.pop()] !== PAIRS[one])) return index;
  }
  return open.at(-1) ?? -1;
}

export function placeOf(text, words) {
  const named = /(?:function with name|call to function|in function) ['"]?(\w+)/.exec(words)?.[1];
  if (named) return text.indexOf(named);
  const at = unbalanced(text);
  if (at >= 0) return at;
  if (/end of input/.test(words)) return text.length;
  const empty = /(?:=~|!~|!=|=)\s*[,}]/.exec(text) ?? /[-+*/%^<>=]\s*(?:$|\))/.exec(text) ?? /\(\s*,|,\s*\)/.exec(text);
  return empty ? empty.index + empty[0].length - 1 : -1;
}
