// Answers of the API as graph and heatmap take them.
import { number, seriesText } from "./format.js";
import { seriesColour } from "./scale.js";

export const mostSeries = 200; // drawn at once; the table has all

// floats returns the series of a matrix that have numbers, with a value for each step.
export function floats(result, { start, step, last }) {
  const n = steps(start, step, last);
  return result.filter((r) => r.values?.length).slice(0, mostSeries).map((r, i) => {
    const values = new Float64Array(n).fill(NaN);
    for (const [t, v] of r.values) values[Math.round((t - start) / step)] = number(v);
    return { name: seriesText(r.metric), colour: seriesColour(i), values, hidden: false };
  });
}

// histograms returns the series of a matrix that have native histograms, with a column for each step.
export function histograms(result, { start, step, last }) {
  const n = steps(start, step, last);
  return result.filter((r) => r.histograms?.length).map((r) => {
    const columns = new Array(n).fill(null);
    for (const [t, h] of r.histograms) columns[Math.round((t - start) / step)] = histogram(h);
    return { name: seriesText(r.metric), columns };
  });
}

// histogram reads one of the API: its buckets are [how bounds are meant, lower, upper, count].
export function histogram(h) {
  const buckets = (h.buckets || []).map(([, lo, hi, n]) => ({ lo: number(lo), hi: number(hi), n: number(n) }));
  return { count: number(h.count), sum: number(h.sum), buckets };
}

// classic makes histograms of series with the label le: one of all that are alike but for that. Its counts grow from
// bucket to bucket; the cells are what is between.
export function classic(result, range) {
  if (!result.length || !result.every((r) => r.metric.le !== undefined && r.values?.length)) return [];
  const n = steps(range.start, range.step, range.last);
  const groups = new Map();
  for (const r of result) {
    const { le, ...others } = r.metric;
    const name = seriesText(others);
    if (!groups.has(name)) groups.set(name, []);
    const values = new Float64Array(n).fill(NaN);
    for (const [t, v] of r.values) values[Math.round((t - range.start) / range.step)] = number(v);
    groups.get(name).push({ le: number(le), values });
  }
  return [...groups].map(([name, of]) => {
    of.sort((a, b) => a.le - b.le);
    return { name, columns: Array.from({ length: n }, (_, i) => column(of, i)) };
  });
}

function column(of, i) {
  const buckets = [];
  let below = 0;
  let lo = of[0].le > 0 ? 0 : -Infinity;
  for (const { le, values } of of) {
    if (Number.isNaN(values[i])) return null;
    buckets.push({ lo, hi: le, n: Math.max(0, values[i] - below) });
    below = values[i];
    lo = le;
  }
  return { count: below, sum: NaN, buckets };
}

function steps(start, step, last) {
  return Math.round((last - start) / step) + 1;
}
