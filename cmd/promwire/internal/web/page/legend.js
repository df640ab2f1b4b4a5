// The legend: a click shows or hides a series; with Ctrl, Shift or a double click it shows that one alone, or all again.
import { el, fill } from "./dom.js";
import { amount } from "./unit.js";

export class Legend {
  constructor(onChange) {
    this.onChange = onChange;
    this.box = el("div.legend", { role: "group", "aria-label": "Legend" });
  }

  // set shows series; entries that are there already stay, and keep the focus.
  set(series, unit) {
    const before = this.series || [];
    this.series = series;
    this.unit = unit;
    if (before.length === series.length && series.every((s, i) => s.name === before[i].name)) this.refresh();
    else fill(this.box, series.map((s, i) => this.entry(s, i)));
  }

  refresh() {
    [...this.box.children].forEach((b, i) => {
      b.setAttribute("aria-pressed", String(!this.series[i].hidden));
      b.lastChild.textContent = amount(last(this.series[i].values), this.unit);
    });
  }

  entry(s, i) {
    const swatch = el("span.swatch");
    swatch.style.background = s.colour;
    const b = el("button", { type: "button", "aria-pressed": String(!s.hidden), title: `${s.name}\nCtrl+click: only this one` },
      swatch, el("span.name", {}, s.name), el("span.num", {}, amount(last(s.values), this.unit)));
    b.addEventListener("click", (e) => this.toggle(this.series[i], e.ctrlKey || e.metaKey || e.shiftKey));
    b.addEventListener("dblclick", () => this.toggle(this.series[i], true));
    return b;
  }

  toggle(s, alone) {
    if (alone) {
      const already = this.series.every((o) => o.hidden === (o !== s));
      for (const o of this.series) o.hidden = !already && o !== s;
    } else {
      s.hidden = !s.hidden;
    }
    this.onChange();
  }
}

function last(values) {
  for (let i = values.length - 1; i >= 0; i--) if (!Number.isNaN(values[i])) return values[i];
  return NaN;
}
