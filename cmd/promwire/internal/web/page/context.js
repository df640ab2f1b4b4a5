// Where in a PromQL expression the cursor is, and so what can stand there.
import { grouping } from "./words.js";

// Words of the language and of metrics: those of today have any letters, and points.
const ident = /[\p{L}\p{N}_:.]/u;

// contextAt returns {kind, from, word, metric, label}: text[from:pos] is the word being written. Kinds are "expr" (metric,
// function, aggregation, keyword), "label" (inside of braces), "group" (names behind by, on, …), "value" (of label),
// "duration" (inside of brackets) and "none".
export function contextAt(text, pos) {
  const scan = { stack: [], last: "", metric: "", label: "", quote: -1 };
  let i = 0;
  while (i < pos) i = step(text, i, pos, scan);
  const top = scan.stack.at(-1) || { kind: "expr", metric: "" };
  const base = { metric: top.metric || "", label: top.label || "" };
  if (scan.quote >= 0) {
    const kind = top.kind === "brace" && top.label && top.operator ? "value" : "none";
    return { ...base, kind, from: scan.quote + 1, word: text.slice(scan.quote + 1, pos) };
  }
  let from = pos;
  while (from > 0 && ident.test(text[from - 1])) from--;
  const word = text.slice(from, pos);
  if (top.kind === "bracket") return { ...base, kind: "duration", from, word };
  if (top.kind === "group") return { ...base, kind: "group", from, word };
  if (top.kind === "brace") return { ...base, kind: top.operator ? "none" : "label", from, word };
  return { ...base, kind: /^\d/.test(word) ? "none" : "expr", from, word };
}

// step goes over one token, and keeps what is open at the end.
function step(text, i, end, scan) {
  const c = text[i];
  const top = scan.stack.at(-1);
  if (c === '"' || c === "'" || c === "`") return string(text, i, end, scan);
  if (ident.test(c)) {
    let j = i;
    while (j < end && ident.test(text[j])) j++;
    scan.last = text.slice(i, j);
    if (top?.kind === "brace" && !top.operator && j < end) top.label = scan.last;
    return j;
  }
  if (c === "{") scan.stack.push({ kind: "brace", metric: scan.last, label: "", operator: false });
  else if (c === "[") scan.stack.push({ kind: "bracket" });
  else if (c === "(") scan.stack.push({ kind: grouping.has(scan.last) ? "group" : "expr" });
  else if (c === "}" || c === ")" || c === "]") scan.stack.pop();
  else if (top?.kind === "brace" && (c === "=" || c === "!" || c === "~")) top.operator = true;
  else if (top?.kind === "brace" && c === ",") Object.assign(top, { label: "", operator: false });
  else if (c === "#") while (i < end && text[i] !== "\n") i++;
  if (!/\s/.test(c)) scan.last = "";
  return i + 1;
}

function string(text, i, end, scan) {
  let j = i + 1;
  while (j < end && text[j] !== text[i]) j += text[j] === "\\" && text[i] !== "`" ? 2 : 1;
  if (j >= end) {
    scan.quote = i;
    return end;
  }
  const top = scan.stack.at(-1);
  // A quoted name in braces is the metric, or a label if an operator follows.
  if (top?.kind === "brace" && !top.operator) {
    const name = text.slice(i + 1, j);
    if (/^\s*[=!]/.test(text.slice(j + 1))) top.label = name;
    else top.metric = top.metric || name;
  }
  scan.last = "";
  return j + 1;
}

// metricsIn returns the known metrics that an expression names.
export function metricsIn(text, known) {
  return [...new Set(text.match(/[a-zA-Z_:][a-zA-Z0-9_:]*/g) || [])].filter((w) => known.has(w));
}
