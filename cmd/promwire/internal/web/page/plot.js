// What graph and heatmap share: a canvas that fits, a cursor by mouse, touch or keys, zoom by dragging, a box of values.
import { el, fill, canvas, colour } from "./dom.js";
import { dateTime } from "./format.js";

const least = 6; // pixels that are a drag

export class Plot {
  // label names the plot; onZoom is called with the times chosen, or with nothing to zoom out.
  constructor(label, onZoom) {
    this.onZoom = onZoom;
    this.cursor = -1; // index of a step
    this.drag = null;
    this.base = el("canvas", { "aria-hidden": "true" });
    this.tip = el("div.tip", { hidden: true });
    this.said = el("div.sr", { "aria-live": "polite" });
    this.box = el("div.chart", {
      tabindex: "0", role: "group", "aria-label": label,
      "aria-description": "Left and right arrows show values, plus and minus zoom. Drag to zoom in, double-click to zoom out.",
    }, this.base, this.tip, this.said);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.base);
    this.redraw = () => this.draw();
    addEventListener("theme", this.redraw);
    this.listen();
  }

  end() {
    this.observer.disconnect();
    removeEventListener("theme", this.redraw);
  }

  listen() {
    const { base, box } = this;
    base.addEventListener("pointerdown", (e) => {
      if (e.button) return;
      this.drag = { from: e.offsetX, to: e.offsetX };
      base.setPointerCapture(e.pointerId);
      this.point(e.offsetX, e.offsetY);
    });
    base.addEventListener("pointermove", (e) => {
      if (this.drag) this.drag.to = e.offsetX;
      this.point(e.offsetX, e.offsetY);
    });
    base.addEventListener("pointerup", () => this.drop());
    base.addEventListener("pointercancel", () => { this.drag = null; this.leave(); });
    // A finger that is lifted leaves too; what it has pointed at stays until it points elsewhere.
    base.addEventListener("pointerleave", (e) => { if (!this.drag && e.pointerType !== "touch") this.leave(); });
    base.addEventListener("dblclick", () => this.onZoom());
    box.addEventListener("blur", () => this.leave());
    box.addEventListener("keydown", (e) => this.key(e));
  }

  drop() {
    const d = this.drag;
    this.drag = null;
    if (!d || !this.frame) return;
    const [a, b] = [Math.min(d.from, d.to), Math.max(d.from, d.to)];
    if (b - a >= least) this.onZoom(this.within(this.frame.time(a)), this.within(this.frame.time(b)));
    else this.draw();
  }

  within(t) {
    return Math.max(this.data.start, Math.min(this.data.last, t));
  }

  key(e) {
    if (!this.data || e.ctrlKey || e.metaKey || e.altKey) return;
    const { start, last } = this.data;
    const n = this.steps();
    const move = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[e.key];
    const quarter = (last - start) / 4;
    if (move) this.point(...this.at(this.cursor < 0 ? n - 1 : Math.max(0, Math.min(n - 1, this.cursor + move))), true);
    else if (e.key === "Home" || e.key === "End") this.point(...this.at(e.key === "Home" ? 0 : n - 1), true);
    else if (e.key === "+" || e.key === "=") this.onZoom(start + quarter, last - quarter);
    else if (e.key === "-") this.onZoom();
    else if (e.key === "Escape") this.leave();
    else return;
    e.preventDefault();
  }

  steps() {
    return Math.round((this.data.last - this.data.start) / this.data.step) + 1;
  }

  // at returns where step i is on the canvas.
  at(i) {
    return [this.frame.x(this.data.start + i * this.data.step), (this.frame.area.top + this.frame.area.bottom) / 2];
  }

  // point puts the cursor to the step next to a position.
  point(px, py, aloud = false) {
    if (!this.frame || !this.data) return;
    const i = Math.round((this.frame.time(px) - this.data.start) / this.data.step);
    this.cursor = Math.max(0, Math.min(this.steps() - 1, i));
    this.pointer = py;
    this.draw();
    const lines = this.lines(this.cursor, py);
    const when = dateTime((this.data.start + this.cursor * this.data.step) * 1000);
    fill(this.tip, el("time", {}, when), lines.length ? lines : el("span.dim", {}, "no data"));
    this.tip.hidden = false;
    this.place(this.at(this.cursor)[0]);
    if (aloud) this.said.textContent = this.tip.innerText;
  }

  // place puts the box beside the cursor, where there is room.
  place(px) {
    const room = this.box.clientWidth;
    const width = this.tip.offsetWidth;
    const left = px + 24 + width < room ? px + 24 : Math.max(4, px - 12 - width);
    this.tip.style.left = `${left}px`;
    this.tip.style.top = "14px";
  }

  leave() {
    if (this.cursor < 0 && this.tip.hidden) return;
    this.cursor = -1;
    this.tip.hidden = true;
    this.draw();
  }

  draw() {
    if (!this.data || !this.base.isConnected) return;
    const { g, width, height } = canvas(this.base);
    if (!width) return;
    this.paint(g, width, height);
    if (this.cursor >= 0) this.mark(g);
    if (this.drag && Math.abs(this.drag.to - this.drag.from) >= least) {
      const { area } = this.frame;
      const [a, b] = [this.drag.from, this.drag.to].map((p) => Math.max(area.left, Math.min(area.right, p)));
      g.fillStyle = colour("--accent");
      g.globalAlpha = 0.16;
      g.fillRect(Math.min(a, b), area.top, Math.abs(b - a), area.bottom - area.top);
      g.globalAlpha = 1;
    }
  }

  mark(g) {
    const px = Math.round(this.at(this.cursor)[0]) + 0.5;
    g.strokeStyle = colour("--faint");
    g.lineWidth = 1;
    g.setLineDash([3, 3]);
    g.beginPath();
    g.moveTo(px, this.frame.area.top);
    g.lineTo(px, this.frame.area.bottom);
    g.stroke();
    g.setLineDash([]);
  }
}

// look is what axes are drawn in.
export function look() {
  return { lineColour: colour("--line"), textColour: colour("--dim"), font: `11px ${colour("--sans")}` };
}
