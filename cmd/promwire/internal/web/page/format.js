// Numbers, times and series as people read them.
import { fields, zoneName } from "./zone.js";

const steps = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

// short is a number in about four characters: 12.3k.
export function short(v) {
  if (!Number.isFinite(v)) return special(v);
  const abs = Math.abs(v);
  if (abs >= 1e15) return trimExponent(v.toExponential(2)).replace("e+", "e");
  for (const [size, sign] of steps) if (abs >= size) return trim((v / size).toPrecision(3)) + sign;
  if (abs !== 0 && abs < 0.001) return v.toExponential(1).replace(".0e", "e");
  return trim(v.toPrecision(3));
}

// exact is a number with separators and up to ten digits.
export function exact(v, digits = 10) {
  if (!Number.isFinite(v)) return special(v);
  const abs = Math.abs(v);
  if (abs >= 1e15 || (abs !== 0 && abs < 1e-4)) return trimExponent(v.toPrecision(6));
  return v.toLocaleString("en", { maximumSignificantDigits: digits });
}

function special(v) {
  return Number.isNaN(v) ? "NaN" : v > 0 ? "+Inf" : "−Inf";
}

function trim(s) {
  return s.includes(".") && !s.includes("e") ? s.replace(/\.?0+$/, "") : s.includes("e") ? String(Number(s)) : s;
}

function trimExponent(s) {
  return s.replace(/\.?0+e/, "e");
}

// number reads a value as the API writes it.
export function number(s) {
  return s === "+Inf" ? Infinity : s === "-Inf" ? -Infinity : Number(s);
}

export function bytes(n) {
  if (n < 0) return "not known";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) {
    n /= 1024;
    i++;
  }
  return `${i === 0 ? n : trim(n.toPrecision(3))} ${units[i]}`;
}

const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

// duration writes seconds as PromQL does: 1h30m.
export function duration(seconds) {
  let out = "";
  for (const [unit, size] of units) {
    const n = Math.floor(seconds / size);
    if (n > 0) out += n + unit;
    seconds -= n * size;
  }
  return out || (seconds > 0 ? `${Math.round(seconds * 1000)}ms` : "0s");
}

// parseDuration reads what duration writes; NaN for anything else.
export function parseDuration(text) {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwy])/g)];
  if (!parts.length || parts.map((p) => p[0]).join("") !== text.trim()) return NaN;
  const sizes = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000 };
  return parts.reduce((sum, p) => sum + Number(p[1]) * sizes[p[2]], 0);
}

const pad = (n, width = 2) => String(n).padStart(width, "0");

// clock is the time of day, with milliseconds if asked for.
export function clock(ms, milliseconds = false) {
  const d = fields(ms);
  return `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}${milliseconds ? `.${pad(d.getUTCMilliseconds(), 3)}` : ""}`;
}

export function date(ms) {
  const d = fields(ms);
  return `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`;
}

export function dateTime(ms) {
  return `${date(ms)} ${clock(ms)} ${zoneName(ms)}`;
}

// ago says how long ago something was, now being the server's time.
export function ago(ms, now) {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  return s < 2 ? "now" : `${duration(s < 120 ? s : s < 7200 ? s - s % 60 : s - s % 3600)} ago`;
}

const legacy = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const legacyLabel = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

// unseen are characters that change how others are shown, or are not shown themselves: controls of text and of its direction.
const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;

// visible is text without characters that could make it look like another.
export function visible(s) {
  return s.replace(unseen, escaped);
}

// quote writes a string of PromQL.
export function quote(s) {
  return `"${visible(s.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t"))}"`;
}

// selector selects a metric, whatever its name.
export function selector(name, inside = "") {
  if (legacy.test(name)) return inside ? `${name}{${inside}}` : name;
  return `{${quote(name)}${inside ? `,${inside}` : ""}}`;
}

export function labelName(name) {
  return legacyLabel.test(name) ? name : quote(name);
}

// seriesText writes labels as a selector.
export function seriesText(metric) {
  const inside = Object.keys(metric).filter((n) => n !== "__name__").sort()
    .map((n) => `${labelName(n)}=${quote(metric[n])}`).join(", ");
  if (metric.__name__ === undefined) return `{${inside}}`;
  return selector(metric.__name__, inside);
}

export function plural(n, one, many = `${one}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}
