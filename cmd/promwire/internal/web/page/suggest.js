// What can stand at the cursor, from the API and the words of the language.
import { cached, metricNames, families, familyOf } from "./api.js";
import { words, durations } from "./words.js";
import { metricsIn } from "./context.js";
import { quote, labelName, selector } from "./format.js";

const most = 60;

// suggest returns options for a context: {word, about, kind, insert, caret}; insert is what replaces the word.
export async function suggest(context, text) {
  switch (context.kind) {
    case "expr":
      return rank(context.word, [...await metrics(), ...words.map(insertWord)], 1);
    case "label":
    case "group":
      return rank(context.word, await labels(context, text), 0);
    case "value":
      return rank(unescape(context.word), await values(context), 0);
    case "duration":
      return rank(context.word, durations.map((d) => ({ ...d, insert: d.word })), 0);
    default:
      return [];
  }
}

async function metrics() {
  const [names, known] = await Promise.all([metricNames(), families().catch(() => new Map())]);
  return names.map((word) => {
    const f = familyOf(known, word);
    return { word, about: f?.help || "", kind: f?.type || "metric", insert: selector(word) };
  });
}

// A function gets its parentheses, and the caret between them; grouping words too.
function insertWord(w) {
  const call = w.kind !== "keyword" || ["by", "without", "on", "ignoring"].includes(w.word);
  const blank = w.kind === "keyword" ? " " : "";
  return { ...w, insert: call ? `${w.word}${blank}()` : `${w.word} `, caret: call ? -1 : 0 };
}

async function labels(context, text) {
  let metric = context.metric ? [context.metric] : [];
  if (!metric.length) metric = metricsIn(text, new Set(await metricNames()));
  const names = await cached("labels", metric.length ? { "match[]": metric.map((m) => selector(m)) } : {});
  const inBraces = context.kind === "label";
  return names.filter((n) => n !== "__name__").map((word) => ({
    word, about: "", kind: "label", insert: inBraces ? `${labelName(word)}=""` : labelName(word), caret: inBraces ? -1 : 0,
  }));
}

async function values(context) {
  const found = await cached(`label/${encodeURIComponent(apiName(context.label))}/values`,
    { "match[]": context.metric ? selector(context.metric) : [], limit: 10000 });
  return found.map((word) => ({ word, about: "", kind: "value", insert: quote(word).slice(1, -1), closes: true }));
}

// apiName writes a label name for the path of the API, which has an escape of its own for names beyond the old ones.
function apiName(name) {
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return name;
  return `U__${[...name].map((c) => (c === "_" ? "__" : /[a-zA-Z0-9:]/.test(c) ? c : `_${c.codePointAt(0).toString(16)}_`)).join("")}`;
}

function unescape(s) {
  return s.replace(/\\(["\\])/g, "$1");
}

// rank sorts what begins with the word before what has it elsewhere. Below min letters there is nothing.
function rank(word, options, min) {
  if (word.length < min) return [];
  const w = word.toLowerCase();
  const scored = [];
  for (const o of options) {
    const at = o.word.toLowerCase().indexOf(w);
    if (at < 0) continue;
    const part = at > 0 && /[^a-zA-Z0-9]/.test(o.word[at - 1]);
    scored.push([at === 0 ? 0 : part ? 1 : 2, o, at]);
  }
  scored.sort((a, b) => a[0] - b[0] || (w ? a[1].word.length - b[1].word.length : 0));
  return scored.slice(0, most).map(([, o, at]) => ({ ...o, at, length: w.length }));
}
