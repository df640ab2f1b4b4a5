// One metric: what it means, its labels and their values, its series, and queries that suit it.
import { el, fill, table } from "./dom.js";
import { api, familiesOf, familyOf } from "./api.js";
import { go } from "./state.js";
import { selector, seriesText, exact, plural, visible } from "./format.js";

const mostSeries = 2000; // looked at for labels
const mostShown = 50;
const longest = 60; // letters of a value
const byName = new Intl.Collator("en", { numeric: true });

// detail returns an element that fills itself.
export function detail(name) {
  const body = el("div", {}, el("p.note", {}, "Loading…"));
  const box = el("section.panel.detail", { "aria-label": `Metric ${name}` }, body);
  load(name).then((parts) => fill(body, parts), (e) => fill(body, el("div.pad", {}, el("div.error", {}, e.message))));
  return box;
}

async function load(name) {
  const [known, series] = await Promise.all([familiesOf(name), api("series", { "match[]": selector(name), limit: mostSeries })]);
  const family = familyOf(known, name);
  const all = series.data;
  const about = [family?.type, family?.unit && `in ${family.unit}`].filter(Boolean).join(", ");
  return [
    el("div.pad", {}, el("h3", {}, name), about && el("p.dim", {}, about), family?.help && el("p", {}, family.help),
      el("div.row", {}, queries(name, family?.type, all).map(([text, expr]) => el("button", { type: "button", title: expr, onclick: () => go({ v: "query", q: expr }) }, text)))),
    labels(all),
    el("header.pad", {}, el("h2", {}, `${all.length >= mostSeries ? "At least " : ""}${plural(all.length, "series", "series")}`)),
    table(["Series"], all.slice(0, mostShown).map((s) => [el("code", {}, seriesText(s))]), "Series"),
    all.length > mostShown && el("p.note", {}, `and ${exact(all.length - mostShown)} more`),
  ];
}

// queries are what one usually asks of such a metric.
export function queries(name, type, series) {
  const s = selector(name);
  const out = [["Query", s]];
  if (type === "counter" || name.endsWith("_total")) out.push(["Rate", `rate(${s}[5m])`]);
  if (name.endsWith("_bucket") && series.some((x) => x.le !== undefined)) {
    out.push(["90th percentile", `histogram_quantile(0.9, sum by (le) (rate(${s}[5m])))`]);
  } else if (type === "histogram" && !/_(count|sum)$/.test(name)) {
    out.push(["Rate", `sum(rate(${s}[5m]))`], ["90th percentile", `histogram_quantile(0.9, sum(rate(${s}[5m])))`]);
  } else if (/_(count|sum)$/.test(name)) {
    out.push(["Rate", `rate(${s}[5m])`]);
  }
  if (type === "gauge") out.push(["Sum", `sum(${s})`]);
  return out;
}

function labels(all) {
  const values = new Map();
  for (const s of all) {
    for (const [label, value] of Object.entries(s)) {
      if (label === "__name__") continue;
      if (!values.has(label)) values.set(label, new Map());
      values.get(label).set(value, (values.get(label).get(value) || 0) + 1);
    }
  }
  if (!values.size) return el("p.note", {}, "Its series have no labels.");
  const rows = [...values].sort((a, b) => b[1].size - a[1].size || byName.compare(a[0], b[0])).map(([label, of]) => {
    const top = [...of].sort((a, b) => b[1] - a[1] || byName.compare(a[0], b[0])).slice(0, 8).map((v) => v[0]);
    const shown = top.flatMap((v, i) => [i ? ", " : "", value(v)]);
    return [el("code.word", {}, visible(label)), el("span.values", {}, shown, of.size > top.length ? ", …" : ""), `${all.length >= mostSeries ? "≥ " : ""}${exact(of.size)}`];
  });
  return table(["Label", "Values", "#Count"], rows, "Labels");
}

// value is one that can't change how its neighbours are read, whatever is in it.
function value(v) {
  const text = visible(v);
  return text.length > longest ? el("bdi", { title: text.slice(0, 2000) }, `${text.slice(0, longest)}…`) : el("bdi", {}, text);
}
