// The unit of what a query gives, as far as the name of its metric and its functions tell.
import { short, exact } from "./format.js";

const scales = {
  B: [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [1, "B"]],
  "B/s": [[1e12, "TB/s"], [1e9, "GB/s"], [1e6, "MB/s"], [1e3, "kB/s"], [1, "B/s"]],
  s: [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]],
};
const named = { bytes: "B", seconds: "s", celsius: "°C", percent: "%", volts: "V", amperes: "A", watts: "W", joules: "J", grams: "g", meters: "m", hertz: "Hz" };

const same = new Set(`sum avg min max topk bottomk limitk quantile stddev abs ceil floor round clamp clamp_min clamp_max sort sort_desc
  sort_by_label sort_by_label_desc label_replace label_join increase delta idelta avg_over_time min_over_time max_over_time sum_over_time
  quantile_over_time last_over_time first_over_time stddev_over_time mad_over_time histogram_sum`.split(/\s+/));
const observed = new Set(["histogram_quantile", "histogram_avg", "histogram_stddev"]); // of what was observed, whatever the rate
const perSecond = new Set(["rate", "irate", "deriv"]);

// unitOf returns the unit of the numbers of a result and that of the bounds of its histograms: B, s, ... or "" if it is not known.
export function unitOf(expr, result) {
  const own = new Set(result.map((r) => r.metric.__name__));
  if (own.size === 1 && !own.has(undefined)) return units([...own][0], []);
  const { names, functions, plain } = words(expr);
  if (names.size !== 1) return { values: "", bounds: "" };
  const of = units([...names][0], functions.filter((f) => !same.has(f)));
  return plain ? of : { ...of, values: "" };
}

function units(name, functions) {
  const bounds = base(name);
  const all = (...sets) => functions.every((f) => sets.some((s) => s.has(f)));
  let values = "";
  if (functions.some((f) => observed.has(f))) values = all(observed, perSecond) ? bounds : "";
  else if (/_(bucket|count)$/.test(name)) values = "";
  else if (!functions.length) values = bounds;
  else if (bounds === "B" && all(perSecond)) values = "B/s";
  return { values, bounds };
}

function base(name) {
  if (/_time(stamp)?_seconds$/.test(name)) return ""; // a point in time
  return named[name.replace(/_(total|sum|count|bucket)$/, "").split("_").at(-1)] || "";
}

// words returns the metrics and functions of an expression; it is plain if nothing is calculated with their results.
function words(expr) {
  const rest = expr.replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'|`[^`]*`/g, "").replace(/#.*/g, "")
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, " ").replace(/\b(by|without)\s*\([^)]*\)/g, " ").replace(/\boffset\s+-?\w+|@\s*(\w+\(\)|[\d.]+)/g, " ");
  const names = new Set();
  const functions = [];
  for (const [, word, call] of rest.matchAll(/([a-zA-Z_:][\w:]*)(\s*\()?/g)) {
    if (call) functions.push(word);
    else names.add(word);
  }
  return { names, functions, plain: /^[\w:\s(),.]*$/.test(rest) };
}

// scaleOf is what numbers up to most are divided by, and the name that goes with it.
export function scaleOf(unit, most) {
  const scale = scales[unit];
  if (!scale) return { size: 1, name: unit && ` ${unit}` };
  const [size, name] = scale.find(([s]) => most >= s * (s > 1 && unit === "s" ? 2 : 1)) || (most > 0 ? scale.at(-1) : scale.find(([s]) => s === 1));
  return { size, name: ` ${name}` };
}

// amount is a number with its unit, in few characters or, with digits, in so many.
export function amount(v, unit, digits) {
  if (!unit || !Number.isFinite(v)) return digits ? exact(v, digits) : short(v);
  const { size, name } = scaleOf(unit, Math.abs(v));
  return (digits ? exact(v / size, digits) : short(v / size)) + name;
}
