// The legend: a click shows or hides a series; with Ctrl, Shift or a double click it shows that one alone, or all again.
import { el, fill } from "./dom.js";
import { short } from "./format.js";

export class Legend {
  constructor(onChange) {
    this.onChange = onChange;
    this.box = el("div.legend", { role: "group", "aria-label": "Legend" });
  }

  set(series) {
    this.series = series;
    fill(this.box, series.map((s) => this.entry(s)));
  }

  entry(s) {
    const swatch = el("span.swatch");
    swatch.style.background = s.colour;
    const b = el("button", { type: "button", "aria-pressed": String(!s.hidden), title: `${s.name}\nCtrl+click: only this one` },
      swatch, el("span.name", {}, s.name), el("span.num", {}, short(last(s.values))));
    b.addEventListener("click", (e) => this.toggle(s, e.ctrlKey || e.metaKey || e.shiftKey));
    b.addEventListener("dblclick", () => this.toggle(s, true));
    return b;
  }

  toggle(s, alone) {
    if (alone) {
      const already = this.series.every((o) => o.hidden === (o !== s));
      for (const o of this.series) o.hidden = !already && o !== s;
    } else {
      s.hidden = !s.hidden;
    }
    [...this.box.children].forEach((b, i) => b.setAttribute("aria-pressed", String(!this.series[i].hidden)));
    this.onChange();
  }
}

function last(values) {
  for (let i = values.length - 1; i >= 0; i--) if (!Number.isNaN(values[i])) return values[i];
  return NaN;
}
