// The last requests, as they came, in the debug format.
import { el, fill } from "./dom.js";
import { clock, plural, bytes, exact, visible } from "./format.js";

const keep = 100;
const folded = 8; // lines of a request that show at once

export class Tap {
  constructor() {
    this.all = [];
    this.paused = false;
    this.onPause = () => {};
    this.list = el("div.tap", { role: "feed", "aria-label": "Last requests" });
    this.pause = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggle() }, "Pause");
    this.filter = el("input", { type: "search", placeholder: "Filter", "aria-label": "Filter requests", "data-search": "", oninput: () => this.draw() });
    this.failed = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.onlyFailed() }, "Refused only");
    this.box = el("section.panel", { "aria-label": "Tap" },
      el("header", {}, el("h2", {}, "Last requests"), this.filter, this.failed, this.pause), this.list);
    this.draw();
  }

  toggle() {
    this.paused = !this.paused;
    this.pause.setAttribute("aria-pressed", String(this.paused));
    this.pause.textContent = this.paused ? "Go on" : "Pause";
    this.onPause(this.paused);
  }

  onlyFailed() {
    this.failed.setAttribute("aria-pressed", String(this.failed.getAttribute("aria-pressed") !== "true"));
    this.draw();
  }

  // add shows requests that came, oldest first.
  add(requests, restarted) {
    if (restarted) this.all = [];
    if (this.paused || (!requests.length && !restarted)) return;
    const made = requests.map((r) => ({ request: r, text: searched(r), element: article(r) }));
    this.all = [...made.reverse(), ...this.all].slice(0, keep);
    this.draw();
    for (const m of made) m.element.classList.add("fresh");
  }

  draw() {
    const word = this.filter.value.trim().toLowerCase();
    const failed = this.failed.getAttribute("aria-pressed") === "true";
    const shown = this.all.filter((a) => (!failed || a.request.status >= 400) && (!word || a.text.includes(word)));
    const none = this.all.length ? "No request matches." : "Waiting for requests. They appear here as they arrive.";
    // Elements that stay are left alone: they may be focused, or selected by the mouse.
    const wanted = shown.length ? shown.map((a) => a.element) : [el("p.note", {}, none)];
    for (const old of [...this.list.children]) if (!wanted.includes(old)) old.remove();
    wanted.forEach((e, i) => {
      if (this.list.children[i] !== e) this.list.insertBefore(e, this.list.children[i] || null);
    });
  }
}

function searched(r) {
  return [r.text, r.error, r.ip, r.agent, r.version, r.op, r.status].join("\n").toLowerCase();
}

function article(r) {
  const level = r.status < 300 ? "good" : r.status < 500 ? "warn" : "bad";
  const head = el("div.head", {},
    el("time", {}, clock(r.time, true)),
    el("span.badge.accent", {}, r.op === "read" ? "read" : `write ${r.version || "?"}`),
    el(`span.badge.${level}`, {}, String(r.status)),
    el("span", {}, r.op === "read" ? readCounts(r) : writeCounts(r)),
    r.refused ? el("span.badge.bad", {}, `${exact(r.refused)} refused`) : null,
    el("span.dim", {}, `${bytes(r.bytes)}, ${r.micros < 1000 ? `${r.micros} µs` : `${(r.micros / 1000).toFixed(1)} ms`}`),
    el("span.who", { title: r.agent || "" }, `${r.ip} ${visible(r.agent || "")}`));
  const box = el("article", { "aria-label": `Request ${r.seq}` }, head);
  if (r.error) box.append(el("div.error", {}, visible(r.error)));
  if (r.text) box.append(...body(r));
  return box;
}

function writeCounts(r) {
  const parts = [plural(r.samples, "sample")];
  if (r.series) parts.unshift(plural(r.series, "series", "series"));
  if (r.histograms) parts.push(plural(r.histograms, "histogram"));
  if (r.exemplars) parts.push(plural(r.exemplars, "exemplar"));
  return parts.join(", ");
}

function readCounts(r) {
  return `${plural(r.queries || 0, "query", "queries")}, ${plural(r.series, "series", "series")}, ${plural(r.samples, "sample")}`;
}

// body is the text, the first lines at once and the others on demand.
function body(r) {
  const lines = r.text.trimEnd().split("\n").map(visible);
  if (r.more) lines.push(`# and ${plural(r.more, "more series", "more series")}`);
  const pre = el("pre", { tabindex: "0", "aria-label": `Text of request ${r.seq}` });
  const show = (n) => fill(pre, lines.slice(0, n).flatMap(line));
  if (lines.length <= folded + 2) {
    show(lines.length);
    return [pre];
  }
  show(folded);
  const fold = el("button.quiet.fold", { type: "button", "aria-expanded": "false" }, `${lines.length - folded} more lines`);
  fold.addEventListener("click", () => {
    const open = fold.getAttribute("aria-expanded") !== "true";
    fold.setAttribute("aria-expanded", String(open));
    fold.textContent = open ? "Fewer lines" : `${lines.length - folded} more lines`;
    show(open ? lines.length : folded);
  });
  return [pre, fold];
}

// line colours a line: comments, the name, the value at its end.
function line(text) {
  if (text.startsWith("#")) return [el("span.c", {}, text), "\n"];
  const name = /^[^{ ]*/.exec(text)[0];
  const rest = text.slice(name.length);
  const value = / [^ {}]+$/.exec(rest);
  if (!value) return [el("span.n", {}, name), rest, "\n"];
  return [el("span.n", {}, name), rest.slice(0, value.index), el("span.v", {}, value[0]), "\n"];
}
