// Axes: where ticks are and what they are called.
import { short, clock, date } from "./format.js";
import { offset } from "./zone.js";

// valueTicks returns about n round numbers that enclose lo to hi.
export function valueTicks(lo, hi, n) {
  if (!(hi > lo)) {
    const room = Math.abs(lo) * 0.1 || 1;
    lo -= lo === 0 ? 0 : room;
    hi += room;
  }
  const rough = (hi - lo) / n;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 2.5, 5, 10].find((m) => m * size >= rough * 0.999) || 10);
  const first = Math.floor(lo / step + 1e-9);
  const last = Math.ceil(hi / step - 1e-9);
  const ticks = [];
  for (let i = first; i <= last && ticks.length < 50; i++) ticks.push(i * step);
  return ticks;
}

// tickText names a tick so that neighbours differ; unit is what is written behind it.
export function tickText(v, step, unit = "") {
  const abs = Math.abs(v);
  if (abs < step / 1e6) return "0";
  if (unit) return (abs >= 1e3 && abs < 1e4 ? String(Math.round(v)) : tickText(v, step)) + unit;
  if (abs >= 1e3 || abs < 1e-3) {
    const digits = Math.ceil(Math.log10(abs / step));
    return digits <= 2 ? short(v) : String(Number(v.toPrecision(Math.min(digits + 1, 12))));
  }
  const text = v.toFixed(Math.max(0, Math.min(8, 1 - Math.floor(Math.log10(step)))));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
  86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];

// timeTicks returns ticks between two times in seconds, at round times of the zone, and their texts.
export function timeTicks(start, end, n) {
  const step = timeSteps.find((s) => s >= (end - start) / n) || timeSteps.at(-1);
  const ahead = offset(start * 1000) / 1000;
  const ticks = [];
  for (let t = Math.ceil((start + ahead) / step) * step - ahead; t <= end; t += step) {
    const time = clock(t * 1000);
    const day = date(t * 1000);
    let text = step < 60 ? time : time.slice(0, 5);
    if (step >= 86400) text = day.slice(step >= 31536000 ? 0 : 5);
    else if (time === "00:00:00") text = day.slice(5);
    ticks.push([t, text]);
  }
  return ticks;
}

// colours are told apart on light and dark ground.
const colours = ["#3f78e0", "#e07b2c", "#2ca378", "#cf4f8b", "#8f6ad9", "#b59410", "#2aa6c4", "#d9503f", "#7a9a2e", "#8b8f9a"];

export function seriesColour(i) {
  return colours[i % colours.length];
}

// frame draws grid and axes, and returns where data go: x of a time, y of a value, and back.
export function frame(g, width, height, { start, end, ticks, texts, lineColour, textColour, font }) {
  g.font = font;
  const left = Math.max(34, ...texts.map((t) => g.measureText(t).width)) + 14;
  const area = { left, right: width - 12, top: 8, bottom: height - 24 };
  const lo = ticks[0];
  const hi = ticks.at(-1);
  const x = (t) => area.left + ((t - start) / (end - start)) * (area.right - area.left);
  const y = (v) => area.bottom - ((v - lo) / (hi - lo)) * (area.bottom - area.top);
  const time = (px) => start + ((px - area.left) / (area.right - area.left)) * (end - start);
  const value = (py) => lo + ((area.bottom - py) / (area.bottom - area.top)) * (hi - lo);
  g.strokeStyle = lineColour;
  g.fillStyle = textColour;
  g.lineWidth = 1;
  g.textBaseline = "middle";
  g.textAlign = "right";
  ticks.forEach((v, i) => {
    const py = Math.round(y(v)) + 0.5;
    g.beginPath();
    g.moveTo(area.left, py);
    g.lineTo(area.right, py);
    g.stroke();
    g.fillText(texts[i], area.left - 8, py);
  });
  g.textAlign = "center";
  const count = Math.max(2, Math.floor((area.right - area.left) / 80));
  for (const [t, text] of timeTicks(start, end, count)) {
    const px = Math.round(x(t)) + 0.5;
    g.beginPath();
    g.moveTo(px, area.bottom);
    g.lineTo(px, area.bottom + 4);
    g.stroke();
    const half = g.measureText(text).width / 2;
    if (px - half > 0 && px + half < width) g.fillText(text, px, area.bottom + 14);
  }
  return { area, x, y, time, value };
}
