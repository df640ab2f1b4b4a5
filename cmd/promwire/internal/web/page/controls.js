// Which time a query is for: how much, until when, how often anew.
import { el, choice } from "./dom.js";
import { duration, parseDuration, date, clock } from "./format.js";
import { isUTC, chooseUTC, browserOffset, zoneName, instant } from "./zone.js";

const presets = [["300", "5m"], ["900", "15m"], ["3600", "1h"], ["21600", "6h"], ["86400", "1d"], ["604800", "7d"]];
const sizes = [60, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];

export const defaultRange = 3600;

// times reads from the state what a query needs, in seconds.
export function times(state) {
  let range = Number(state.range);
  if (!(range >= 1 && range <= 4e8)) range = defaultRange;
  let end = Number(state.end);
  if (!(end > 0 && end < 1e11)) end = 0;
  const wanted = range / 240;
  const step = steps.find((s) => s >= wanted) || Math.ceil(wanted / 86400) * 86400;
  // While the present is followed, steps lie on whole multiples, so that a line does not change with each answer.
  const last = end || Math.ceil(Date.now() / 1000 / step) * step;
  return { range, end, step, start: last - Math.ceil(range / step) * step, last };
}

// Controls writes changes through change(state), and calls onZone when times are to be those of another zone.
export class Controls {
  constructor(change, onZone) {
    this.change = change;
    this.onZone = onZone;
    this.state = {};
    this.range = el("input.range", { "aria-label": "Range", title: "Range, such as 90m", onchange: () => this.typed() });
    this.end = el("input", { type: "datetime-local", step: "1", "aria-label": "End", onchange: () => this.ended() });
    this.now = el("button", { type: "button", title: "Follow the present", onclick: () => this.change({ end: "" }) }, "Now");
    this.zone = el("button.zone", { type: "button", onclick: () => this.otherZone() }, "UTC");
    this.presets = choice("Usual ranges", presets, "", (range) => this.change({ range }));
    this.refresh = el("select", { "aria-label": "Refresh", onchange: () => this.change({ every: this.refresh.value }, true) },
      ["", "5", "15", "60"].map((s) => el("option", { value: s }, s ? `every ${duration(Number(s))}` : "no refresh")));
    const button = (text, label, f) => el("button", { type: "button", "aria-label": label, title: label, onclick: f }, text);
    this.box = el("div.row.controls", {},
      el("span.group", { role: "group", "aria-label": "Range" },
        button("−", "Shorter range", () => this.resize(-1)), this.range, button("+", "Longer range", () => this.resize(1))),
      this.presets,
      el("span.spacer"),
      el("span.group", { role: "group", "aria-label": "End" },
        button("‹", "Earlier", () => this.shift(-1)), this.end, button("›", "Later", () => this.shift(1)), this.now),
      this.zone, this.refresh);
  }

  show(state) {
    this.state = state;
    const { range, end, last } = times(state);
    this.range.value = duration(range);
    this.presets.show(String(range));
    this.now.setAttribute("aria-pressed", String(!end));
    this.zone.setAttribute("aria-pressed", String(isUTC()));
    this.zone.title = isUTC() ? "Times are in UTC" : `Times are in ${zoneName(last * 1000)}, as of this browser`;
    this.zone.hidden = !browserOffset(last * 1000); // it is UTC anyway
    this.end.value = `${date(last * 1000)}T${clock(last * 1000)}`;
    this.end.classList.toggle("following", !end);
    this.refresh.value = ["5", "15", "60"].includes(state.every) ? state.every : "";
  }

  typed() {
    const range = parseDuration(this.range.value);
    if (range >= 1) this.change({ range: Math.round(range) });
    else this.show(this.state);
  }

  ended() {
    const end = instant(this.end.value) / 1000;
    this.change({ end: end > 0 ? Math.round(end) : "" });
  }

  otherZone() {
    chooseUTC(!isUTC());
    this.onZone();
  }

  resize(direction) {
    const { range } = times(this.state);
    const next = direction > 0 ? sizes.find((s) => s > range) : sizes.findLast((s) => s < range);
    if (next) this.change({ range: next });
  }

  // shift goes half a range; beyond the present it follows that.
  shift(direction) {
    const { range, end } = times(this.state);
    const next = (end || Math.floor(Date.now() / 1000)) + (direction * range) / 2;
    this.change({ end: next >= Date.now() / 1000 ? "" : Math.round(next) });
  }
}
