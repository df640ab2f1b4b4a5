// PromQL: the box, the time, the answer as graph, heatmap or table.
import { el, fill, choice } from "./dom.js";
import { api, metricNames, families, familyOf } from "./api.js";
import { read, write } from "./state.js";
import { Completion } from "./complete.js";
import { Controls, times, defaultRange } from "./controls.js";
import { Results } from "./results.js";
import { queries } from "./metric.js";
import { plural, visible } from "./format.js";
import { recent, remember } from "./recent.js";

const limit = 2000; // series that an answer has at most; a warning says so
const truncated = "results truncated due to limit"; // the warning
const tooMany = `There are more than ${plural(limit, "series", "series")}, and this shows the first. Select fewer, or put them together: topk(10, …), sum by (…) (…).`;

let parts = null;
let running = null; // the AbortController of the query that runs
let asked = ""; // what was asked last, so that the same state does not ask again
let timer = 0;

function mount(root) {
  const input = el("textarea", { rows: "1", spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-label": "PromQL expression", placeholder: "PromQL, such as rate(http_requests_total[5m])", "data-search": "" });
  const completion = new Completion(input);
  const run = el("button.primary", { type: "button", onclick: () => ask() }, "Run");
  const controls = new Controls((changes, quiet) => write(changes, { push: !quiet }), () => ask());
  const results = new Results(zoom);
  const tabs = choice("Show as", [["graph", "Graph"], ["table", "Table"]], "graph", (tab) => write({ tab: tab === "graph" ? "" : tab }));
  const note = el("span.dim", { "aria-live": "polite" });
  const body = el("div.body");
  parts = { input, completion, controls, results, tabs, note, body, messages: el("div.messages") };
  parts.box = el("div", {},
    el("div.ask", {}, input, run, completion.list), controls.box, parts.messages,
    el("section.panel.result", { "aria-label": "Result" }, el("header", {}, tabs, results.modes, el("span.grow"), note), body));
  root.append(parts.box);
  input.addEventListener("input", grow);
  input.addEventListener("keydown", key);
  asked = "";
}

function key(e) {
  if (parts.completion.key(e)) return e.preventDefault();
  if (e.key === "Enter" && !e.shiftKey) {
    e.preventDefault();
    ask();
  }
}

function grow() {
  const { input } = parts;
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight + 2}px`;
}

// ask runs what is in the box, also if it is what was run before.
function ask() {
  parts.completion.close();
  asked = "";
  const q = parts.input.value.trim();
  if (q === (read().q || "")) show(read());
  else write({ q }, { push: true });
}

function show(state) {
  const { input, controls, tabs, results } = parts;
  if (document.activeElement !== input || !asked) input.value = state.q || "";
  grow();
  controls.show(state);
  tabs.show(state.tab === "table" ? "table" : "graph");
  results.show(state);
  const { q = "", range = "", end = "", tab = "" } = state;
  const now = JSON.stringify([q, range, end, tab]);
  clearInterval(timer);
  if (state.every && !state.end) timer = setInterval(() => { if (!document.hidden) runQuery(read()); }, Math.max(5, Number(state.every)) * 1000);
  if (now === asked) return;
  asked = now;
  runQuery(state);
}

async function runQuery(state) {
  running?.abort();
  running = null;
  if (!state.q) return idle();
  const mine = running = new AbortController();
  const { body, note, messages, box, results } = parts;
  box.classList.add("busy");
  const begun = performance.now();
  try {
    const time = times(state);
    const answer = state.tab === "table"
      ? await api("query", { query: state.q, time: time.end || undefined, limit }, mine.signal)
      : await api("query_range", { query: state.q, start: time.start, end: time.last, step: time.step, limit }, mine.signal);
    if (mine !== running) return;
    const { data, warnings } = answer;
    if (data.result?.length) remember(state.q);
    const shown = results.element(data, time, state);
    if (body.firstChild !== shown) fill(body, shown);
    const cut = warnings.includes(truncated);
    const count = Array.isArray(data.result) && data.resultType !== "scalar" ? `${cut ? "first " : ""}${plural(data.result.length, "series", "series")}, ` : "";
    note.textContent = `${count}${state.tab === "table" ? "" : `step ${time.step} s, `}${Math.round(performance.now() - begun)} ms`;
    fill(messages, warnings.slice(0, 5).map((w) => el("div.warning", {}, w === truncated ? tooMany : w)));
  } catch (e) {
    if (e.name === "AbortError" || mine !== running) return;
    fill(messages, el("div.error", { role: "alert" }, e.message, place(e.message, state.q)));
    note.textContent = "";
    results.clear();
    fill(body);
  } finally {
    if (mine === running) box.classList.remove("busy");
  }
}

// place shows the part of a query that a message of its parser is about.
function place(message, q) {
  const [, line, column] = /(\d+):(\d+): parse error/.exec(message) || [];
  const text = line && q.split("\n")[line - 1];
  if (!text) return "";
  const before = new TextDecoder().decode(new TextEncoder().encode(text).slice(0, column - 1)); // columns are bytes
  const from = Math.max(0, before.length - 50);
  return `\n\n${visible(text.slice(from, from + 80))}\n${" ".repeat(visible(before.slice(from)).length)}^`;
}

// idle offers queries that suit what is stored.
async function idle() {
  const { body, note, messages, results, box } = parts;
  box.classList.remove("busy");
  results.clear();
  fill(messages);
  note.textContent = "";
  fill(body, el("p.note", {}, "Write an expression and press Enter. Names, functions and labels are completed as you type."));
  offer("Asked before", recent());
  try {
    const [names, known] = await Promise.all([metricNames(), families()]);
    const tries = names.flatMap((n) => queries(n, familyOf(known, n)?.type, []).slice(-1).map((t) => t[1]));
    const some = [...tries.filter((t) => t.includes("(")), ...tries.filter((t) => !t.includes("("))].slice(0, 6);
    if (!read().q) offer("For what is stored", some.filter((q) => !recent().includes(q)));
  } catch {
    // then there is nothing to offer
  }
}

function offer(title, some) {
  if (!some.length) return;
  const buttons = some.map((q) => el("button", { type: "button", title: q, onclick: () => write({ q }, { push: true }) }, q));
  parts.body.append(el("section.tries", { "aria-label": title }, el("h2", {}, title), buttons));
}

// zoom shows the time between two marks, or twice the time if there are none.
function zoom(from, to) {
  const { range, end } = times(read());
  if (from === undefined) {
    const wider = range * 2;
    const last = end ? end + range / 2 : 0;
    write({ range: wider === defaultRange ? "" : Math.round(wider), end: last && last < Date.now() / 1000 ? Math.round(last) : "" }, { push: true });
    return;
  }
  const width = Math.max(5, Math.round(to - from));
  write({ range: width, end: Math.round((from + to) / 2 + width / 2) }, { push: true });
}

function hide() {
  running?.abort();
  running = null;
  clearInterval(timer);
  parts.results.clear();
}

export const query = { title: "Query", mount, show, hide };
