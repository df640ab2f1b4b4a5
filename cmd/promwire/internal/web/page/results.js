// Which picture an answer gets: graph for numbers, heatmap for histograms, both if there are both.
import { el, fill, choice } from "./dom.js";
import { write } from "./state.js";
import { Chart } from "./chart.js";
import { Heatmap } from "./heatmap.js";
import { Legend } from "./legend.js";
import { resultTable } from "./table.js";
import { floats, histograms, classic, mostSeries } from "./data.js";
import { exact } from "./format.js";
import { unitOf } from "./unit.js";

export class Results {
  constructor(zoom) {
    this.zoom = zoom;
    this.modes = choice("Drawn as", [["", "Lines"], ["stacked", "Stacked"], ["heat", "Heatmap"]], "", (mode) => write({ mode }));
    this.plots = [];
  }

  clear() {
    for (const p of this.plots) p.end();
    this.plots = [];
    this.redraw = null;
    this.chart = null;
    this.modes.hidden = true;
  }

  // show follows the state without a new answer.
  show(state) {
    const before = this.mode;
    this.mode = ["stacked", "heat"].includes(state.mode) ? state.mode : "";
    this.modes.show(this.mode);
    if (this.redraw && before !== this.mode) this.redraw();
  }

  // element returns what shows an answer.
  element(data, time, state) {
    const hidden = new Set(this.series?.filter((s) => s.hidden).map((s) => s.name));
    const before = this.chart && this.series;
    this.answer = [data.result, time];
    if (data.resultType === "matrix") this.units = unitOf(state.q, data.result);
    if (state.tab === "table") {
      this.clear();
      return resultTable(data);
    }
    this.series = floats(data.result, time);
    for (const s of this.series) s.hidden = hidden.has(s.name); // what was hidden stays so when the time changes
    if (this.series.length && this.series.every((s) => s.hidden)) for (const s of this.series) s.hidden = false;
    if (before && data.result.length === this.series.length && sameNames(before, this.series)) {
      this.show(state);
      this.draw();
      return this.box;
    }
    this.clear();
    const box = this.box = el("div");
    this.redraw = () => {
      for (const p of this.plots) p.end();
      this.plots = [];
      this.chart = null;
      fill(box, this.pictures(...this.answer));
    };
    this.redraw();
    return box;
  }

  pictures(result, time) {
    if (!result.length) return [el("p.note", {}, "The query has no result in this time. Samples may be older: choose a longer range. ", el("a", { href: "?v=metrics", "data-view": "metrics" }, "Metrics"), " has all names.")];
    const heat = histograms(result, time);
    const le = this.modes.querySelector('[data-value="heat"]');
    const buckets = classic(result, time);
    le.hidden = !buckets.length;
    this.modes.hidden = !this.series.length;
    if (this.mode === "heat" && buckets.length) return this.heat(buckets, time);
    const out = heat.length ? this.heat(heat, time) : [];
    if (this.series.length) out.push(...this.graph(result.length));
    return out;
  }

  graph(count) {
    const chart = new Chart("Graph", this.zoom);
    this.plots.push(chart);
    const legend = new Legend(() => this.draw());
    this.chart = this.plots.length === 1 ? chart : null; // a graph alone is kept when it is asked for again
    this.draw = () => {
      legend.set(this.series, this.units.values);
      chart.set({ ...this.answer[1], unit: this.units.values, series: this.series }, this.mode === "stacked");
    };
    this.draw();
    const note = count > this.series.length && this.series.length === mostSeries
      ? el("p.note", {}, `The first ${mostSeries} of ${exact(count)} series. Narrow the query, or see the table.`) : null;
    return [chart.box, note, legend.box];
  }

  // heat shows one histogram; a list chooses which.
  heat(all, time) {
    const map = new Heatmap("Heatmap", this.zoom);
    this.plots.push(map);
    let i = Math.max(0, all.findIndex((h) => h.name === this.chosen));
    const list = el("select", { "aria-label": "Series" }, all.slice(0, 500).map((h, n) => el("option", { value: n, selected: n === i }, h.name)));
    const draw = () => {
      this.chosen = all[i].name;
      map.set({ ...time, unit: this.units.bounds, columns: all[i].columns });
    };
    list.addEventListener("change", () => {
      i = Number(list.value);
      draw();
    });
    draw();
    const about = el("div.row.pad", {}, all.length > 1 ? list : all[0].name !== "{}" && el("code", {}, all[0].name), el("span.dim", {}, "Rows are buckets: the stronger the colour, the more is in them."));
    return [map.box, about];
  }
}

function sameNames(a, b) {
  return a.length === b.length && a.every((s, i) => s.name === b[i].name);
}
