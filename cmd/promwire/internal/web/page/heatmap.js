// Native histograms over time: a column for each step, a cell for each bucket, darker where more is in it.
import { el, colour } from "./dom.js";
import { Plot, look } from "./plot.js";
import { frame } from "./scale.js";
import { exact } from "./format.js";
import { amount } from "./unit.js";

export class Heatmap extends Plot {
  // set shows data: {start, last, step, unit, columns: [{count, sum, buckets: [{lo, hi, n}]} or null for each step]}.
  set(data) {
    this.data = data;
    const edges = new Set();
    let most = 0;
    for (const c of data.columns) {
      for (const b of c?.buckets || []) {
        edges.add(b.lo).add(b.hi);
        most = Math.max(most, b.n);
      }
    }
    this.most = most;
    this.edges = [...edges].sort((a, b) => a - b);
    this.rows = rowsOf(this.edges);
    this.draw();
  }

  paint(g, width, height) {
    const { start, step, last } = this.data;
    const n = Math.max(1, this.rows.length - 1);
    // Rows are of one height: their bounds are what the axis says.
    const each = Math.max(1, Math.ceil(n / Math.max(2, Math.floor(height / 34))));
    const ticks = [];
    for (let i = 0; i <= n; i += each) ticks.push(i);
    if (ticks.at(-1) !== n) ticks.push(n);
    const texts = ticks.map((i) => (this.rows.length ? amount(this.rows[i] ?? NaN, this.data.unit) : ""));
    if (ticks.length > 2 && ticks.at(-1) - ticks.at(-2) < each * 0.6) texts[texts.length - 2] = "";
    // Half a step on both sides, as cells lie around their time.
    this.frame = frame(g, width, height, { start: start - step / 2, end: last + step / 2, ticks, texts, ...look() });
    const { x, y } = this.frame;
    const ink = colour("--accent");
    const cell = x(start + step) - x(start);
    this.data.columns.forEach((c, i) => {
      for (const b of c?.buckets || []) {
        if (!(b.n > 0)) continue;
        g.globalAlpha = 0.1 + 0.9 * Math.sqrt(b.n / this.most);
        g.fillStyle = ink;
        const top = y(this.row(b.hi));
        const bottom = y(this.row(b.lo));
        g.fillRect(x(start + i * step) - cell / 2, top, Math.max(1, cell - (cell > 4 ? 1 : 0)), Math.max(1, bottom - top - (bottom - top > 5 ? 1 : 0)));
      }
    });
    g.globalAlpha = 1;
  }

  // row is the place of a bound, between rows if it is none of theirs.
  row(v) {
    const i = this.rows.findIndex((r) => r >= v);
    if (i < 0) return this.rows.length - 1;
    if (this.rows[i] === v || i === 0) return i;
    const [lo, hi] = [this.rows[i - 1], this.rows[i]];
    return Number.isFinite(hi - lo) ? i - 1 + (v - lo) / (hi - lo) : i;
  }

  lines(i, py) {
    const c = this.data.columns[i];
    if (!c) return [];
    const at = this.frame.value(py);
    const here = c.buckets.find((b) => this.row(b.lo) <= at && at < this.row(b.hi));
    const text = (v) => amount(v, this.data.unit);
    const pair = (name, value) => el("div.line", {}, el("span.name", {}, name), el("span.num", {}, value));
    return [
      here && el("div.line.near", {}, el("span.name", {}, `${text(here.lo)} to ${text(here.hi)}`), el("span.num", {}, exact(here.n, 6))),
      pair("count", exact(c.count, 6)), pair("sum", exact(c.sum, 6)), pair("mean", c.count ? text(c.sum / c.count) : "–"),
      ...["0.5", "0.9", "0.99"].map((q) => pair(`quantile ${q}`, `≤ ${text(upper(c, Number(q)))}`)),
    ].filter(Boolean);
  }
}

// rowsOf keeps at most 160 bounds: more rows could not be told apart.
function rowsOf(edges) {
  if (edges.length <= 160) return edges;
  const each = edges.length / 160;
  const out = [];
  for (let i = 0; i < edges.length - 1; i += each) out.push(edges[Math.floor(i)]);
  return [...out, edges.at(-1)];
}

// upper is the upper bound of the bucket that a quantile is in.
function upper(c, q) {
  let left = q * c.count;
  for (const b of c.buckets) {
    left -= b.n;
    if (left <= 1e-9 * c.count) return b.hi;
  }
  return c.buckets.at(-1)?.hi ?? NaN;
}
