// The answer of a query as a table.
import { el, table, canvas, colour } from "./dom.js";
import { exact, number, plural, dateTime, labelName, quote, selector } from "./format.js";
import { histogram } from "./data.js";

const most = 1000; // rows at once

// resultTable shows the data of an instant query.
export function resultTable({ resultType, result }) {
  if (resultType === "scalar" || resultType === "string") {
    return table(["", "#Value"], [[resultType, resultType === "scalar" ? exact(number(result[1])) : result[1]]], "Result");
  }
  if (!result.length) return el("p.note", {}, "The query has no result at this time.");
  const cell = resultType === "matrix" ? samples : value;
  const box = el("div", {}, table(["Series", "#Value"], result.slice(0, most).map((r) => [labels(r.metric), cell(r)]), "Result"));
  if (result.length > most) box.append(el("p.note", {}, `The first ${exact(most)} of ${plural(result.length, "series", "series")}.`));
  return box;
}

// labels writes a series so that names and values can be told apart.
function labels(metric) {
  const names = Object.keys(metric).filter((n) => n !== "__name__").sort();
  const parts = [metric.__name__ === undefined ? "" : selector(metric.__name__)];
  names.forEach((n, i) => parts.push(i ? ", " : "{", el("span.l", {}, `${labelName(n)}=`), quote(metric[n])));
  if (names.length) parts.push("}");
  else if (metric.__name__ === undefined) parts.push("{}");
  return el("span.labels", {}, parts);
}

function value(r) {
  return r.value ? exact(number(r.value[1])) : histogramCell(histogram(r.histogram[1]));
}

function samples(r) {
  const all = [...(r.values || []).map(([t, v]) => [t, exact(number(v))]), ...(r.histograms || []).map(([t, h]) => [t, `histogram of ${exact(number(h.count))}`])];
  const shown = all.slice(-20).map(([t, v]) => el("div", {}, `${v} @ ${dateTime(t * 1000)}`));
  if (all.length > 20) shown.unshift(el("div.dim", {}, `${all.length - 20} before`));
  return shown;
}

// histogramCell is a small picture of the buckets, with count and sum.
function histogramCell(h) {
  const c = el("canvas.buckets", { role: "img", "aria-label": `${plural(h.buckets.length, "bucket")}` });
  const draw = () => {
    const { g, width, height } = canvas(c);
    const top = Math.max(...h.buckets.map((b) => b.n));
    const step = width / h.buckets.length;
    g.fillStyle = colour("--accent");
    h.buckets.forEach((b, i) => {
      const tall = (b.n / top) * height;
      g.fillRect(i * step, height - tall, Math.max(1, step - 1), tall);
    });
  };
  if (h.buckets.length) new ResizeObserver(draw).observe(c);
  const text = `count ${exact(h.count)}, sum ${exact(h.sum)}`;
  return h.buckets.length ? [c, el("div", {}, text)] : text;
}
