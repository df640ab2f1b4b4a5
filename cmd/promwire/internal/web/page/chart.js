// The graph: lines, or areas on each other.
import { el } from "./dom.js";
import { Plot, look } from "./plot.js";
import { frame, valueTicks, tickText } from "./scale.js";
import { amount, scaleOf } from "./unit.js";

const mostLines = 12; // in the box of values

export class Chart extends Plot {
  // set shows data: {start, last, step, unit, series: [{name, colour, values, hidden}]}, a value for each step, NaN for none.
  set(data, stacked) {
    this.data = data;
    this.stacked = stacked;
    this.near = null;
    this.draw();
    if (this.cursor >= 0) this.point(this.at(this.cursor)[0], this.pointer);
  }

  // tops returns what is drawn of each visible series: its values, or their sums with those below.
  tops() {
    const visible = this.data.series.filter((s) => !s.hidden);
    if (!this.stacked) return visible.map((series) => ({ series, top: series.values }));
    let below = new Float64Array(this.steps());
    return visible.map((series) => {
      const base = below;
      below = base.map((b, i) => b + (Number.isFinite(series.values[i]) ? series.values[i] : 0));
      return { series, top: below, base };
    });
  }

  paint(g, width, height) {
    const shown = this.tops();
    let lo = this.stacked ? 0 : Infinity;
    let hi = this.stacked ? 0 : -Infinity;
    for (const { top } of shown) {
      for (const v of top) {
        if (!Number.isFinite(v)) continue;
        if (v < lo) lo = v;
        if (v > hi) hi = v;
      }
    }
    if (lo > hi) [lo, hi] = [0, 1];
    if (lo > 0 && lo < hi * 0.6) lo = 0; // near enough to see from zero
    const { size, name } = scaleOf(this.data.unit, Math.max(Math.abs(lo), Math.abs(hi)));
    const scaled = valueTicks(lo / size, hi / size, Math.max(2, Math.floor(height / 56)));
    const texts = scaled.map((v) => tickText(v, scaled[1] - scaled[0], name));
    const ticks = scaled.map((v) => v * size);
    const { start, last: end } = this.data;
    this.frame = frame(g, width, height, { start, end, ticks, texts, ...look() });
    g.lineJoin = "round";
    if (this.stacked) for (const s of shown.toReversed()) this.area(g, s);
    for (const s of shown) this.line(g, s);
  }

  area(g, { series, top, base }) {
    const { x, y } = this.frame;
    const { start, step } = this.data;
    g.fillStyle = series.colour;
    g.globalAlpha = 0.45;
    g.beginPath();
    top.forEach((v, i) => g.lineTo(x(start + i * step), y(v)));
    for (let i = base.length - 1; i >= 0; i--) g.lineTo(x(start + i * step), y(base[i]));
    g.fill();
    g.globalAlpha = 1;
  }

  line(g, { series, top }) {
    const { x, y } = this.frame;
    const { start, step } = this.data;
    g.strokeStyle = g.fillStyle = series.colour;
    g.lineWidth = series === this.near ? 2.5 : 1.5;
    g.beginPath();
    let before = false;
    const lone = [];
    for (let i = 0; i < top.length; i++) {
      const here = Number.isFinite(series.values[i]);
      const [px, py] = [x(start + i * step), y(top[i])];
      if (here && before) g.lineTo(px, py);
      else if (here) g.moveTo(px, py);
      if (here && !before && !Number.isFinite(series.values[i + 1])) lone.push([px, py]);
      before = here;
    }
    g.stroke();
    for (const [px, py] of lone) dot(g, px, py, 2);
  }

  mark(g) {
    super.mark(g);
    for (const { series, top } of this.tops()) {
      if (!Number.isFinite(series.values[this.cursor])) continue;
      g.fillStyle = series.colour;
      dot(g, this.at(this.cursor)[0], this.frame.y(top[this.cursor]), series === this.near ? 4.5 : 3);
    }
  }

  // lines are the largest values at a step, and the one next to the pointer.
  lines(i, py) {
    const here = this.tops().filter(({ series }) => !Number.isNaN(series.values[i]));
    const distance = (s) => Math.abs(this.frame.y(s.top[i]) - py);
    const near = here.reduce((a, b) => (a && distance(a) <= distance(b) ? a : b), null)?.series;
    if (near !== this.near) {
      this.near = near;
      this.draw();
    }
    const sorted = here.map((s) => s.series).sort((a, b) => b.values[i] - a.values[i]);
    const shown = sorted.slice(0, mostLines);
    if (near && !shown.includes(near)) shown[mostLines - 1] = near;
    const out = shown.map((s) => valueLine(s.colour, s.name, amount(s.values[i], this.data.unit, 6), s === near));
    if (sorted.length > shown.length) out.push(el("div.dim", {}, `and ${sorted.length - shown.length} more`));
    return out;
  }

  leave() {
    this.near = null;
    super.leave();
  }
}

function dot(g, x, y, r) {
  g.beginPath();
  g.arc(x, y, r, 0, 2 * Math.PI);
  g.fill();
}

// valueLine is a line in the box of values.
export function valueLine(colour, name, value, near = false) {
  const swatch = el("span.swatch");
  swatch.style.background = colour;
  return el(near ? "div.line.near" : "div.line", {}, swatch, el("span.name", {}, name), el("span.num", {}, value));
}
