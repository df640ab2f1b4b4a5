// The metrics: names, types, help, how many series; one of them in detail.
import { el, fill } from "./dom.js";
import { api, metricNames, families, familyOf } from "./api.js";
import { write } from "./state.js";
import { exact, plural } from "./format.js";
import { detail } from "./metric.js";

const most = 500; // rows at once; the search finds the others

let parts = null;
let rows = [];
let counted = false;
let sort = "name";
let selected = "";

function mount(root) {
  selected = "";
  const search = el("input.grow", { type: "search", placeholder: "Search names and help", "aria-label": "Search metrics", "data-search": "" });
  search.addEventListener("input", () => write({ find: search.value }));
  search.addEventListener("keydown", (e) => {
    if (e.key === "ArrowDown") parts.list.querySelector("td button")?.focus();
  });
  parts = { search, list: el("div.list"), detail: el("div.sticky"), count: el("span.dim"), state: {} };
  root.append(el("div.browse", {},
    el("section.panel", { "aria-label": "Metrics" }, el("header", {}, search, parts.count), parts.list),
    parts.detail));
  fill(parts.list, el("p.note", {}, "Loading…"));
  load();
}

async function load() {
  try {
    const [names, known, counts] = await Promise.all([metricNames(), families(), seriesCounts()]);
    counted = counts !== null;
    rows = names.map((name) => {
      const f = familyOf(known, name);
      return { name, type: f?.type || "", help: f?.help || "", series: counts?.get(name) ?? 0, text: `${name} ${f?.help || ""}`.toLowerCase() };
    });
    draw();
  } catch (e) {
    fill(parts.list, el("p.note", {}, el("span.error", {}, e.message)));
  }
}

// seriesCounts returns the series of each metric in the head; null if the server does not tell.
async function seriesCounts() {
  try {
    const { data } = await api("status/tsdb", { limit: 10000 });
    return new Map(data.seriesCountByMetricName.map((c) => [c.name, c.value]));
  } catch {
    return null;
  }
}

function draw() {
  const words = (parts.state.find || "").toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((r) => words.every((w) => r.text.includes(w)));
  if (sort === "series") found.sort((a, b) => b.series - a.series);
  if (sort === "type") found.sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
  parts.count.textContent = words.length ? `${exact(found.length)} of ${plural(rows.length, "metric")}` : plural(rows.length, "metric");
  if (!found.length) {
    fill(parts.list, el("p.note", {}, rows.length ? "No metric matches." : ["There are no metrics yet. ", el("a", { href: "?v=live", "data-view": "live" }, "Live"), " says how to send some."]));
    return;
  }
  const head = el("tr", {}, title("name", "Name"), title("type", "Type", "type"), counted && title("series", "Series", "count.num"));
  const body = el("tbody", {}, found.slice(0, most).map(row));
  body.addEventListener("keydown", move);
  const left = found.length - most;
  fill(parts.list, el("table", { "aria-label": "Metrics" }, el("thead", {}, head), body),
    left > 0 && el("p.note", {}, `and ${exact(left)} more: search for them`));
  mark();
}

function title(key, text, kind = "") {
  const pressed = sort === key ? (key === "series" ? "descending" : "ascending") : "none";
  return el(kind ? `th.${kind}` : "th", { scope: "col", "aria-sort": pressed },
    el("button", { type: "button", onclick: () => { sort = key; draw(); } }, sort === key ? `${text} ${key === "series" ? "↓" : "↑"}` : text));
}

function row(r) {
  const tr = el("tr", { "data-name": r.name, onclick: () => write({ m: r.name }) },
    el("td", {}, el("button", { type: "button" }, r.name), r.help && el("span.help", { title: r.help }, r.help)),
    el("td", {}, r.type && el("span.badge", {}, r.type)),
    counted && el("td.num", {}, exact(r.series)));
  return tr;
}

// move goes through the list by the arrow keys.
function move(e) {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[e.key];
  if (!step) return;
  e.preventDefault();
  const next = e.target.closest("tr")[step];
  if (next) next.querySelector("button").focus();
  else if (e.key === "ArrowUp") parts.search.focus();
}

function mark() {
  for (const tr of parts.list.querySelectorAll("tbody tr")) {
    const here = tr.dataset.name === parts.state.m;
    tr.setAttribute("aria-selected", String(here));
    if (here && parts.seen !== parts.state.m) reveal(tr);
  }
}

// reveal scrolls the list, and nothing else, to a row that the address of the page has chosen.
function reveal(tr) {
  parts.seen = parts.state.m;
  const [list, row] = [parts.list.getBoundingClientRect(), tr.getBoundingClientRect()];
  if (row.top < list.top || row.bottom > list.bottom) parts.list.scrollTop += row.top - list.top - list.height / 3;
}

function show(state) {
  parts.state = state;
  if (parts.search.value !== (state.find || "")) parts.search.value = state.find || "";
  if (rows.length) draw();
  if (state.m !== selected) {
    selected = state.m;
    fill(parts.detail, state.m ? detail(state.m) : el("p.note.panel", {}, "Choose a metric to see its labels and series."));
  }
}

export const metrics = { title: "Metrics", mount, show, hide() {} };
