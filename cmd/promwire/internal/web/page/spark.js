// A line of what was, without axes.
import { canvas, colour } from "./dom.js";

// spark draws values as bars of five seconds each, and lays bad ones over them.
export function spark(c, values, over) {
  const { g, width, height } = canvas(c);
  if (!width) return;
  const bars = sums(values);
  const marked = over ? sums(over) : null;
  const top = Math.max(1, ...bars);
  const step = width / bars.length;
  for (let i = 0; i < bars.length; i++) {
    const h = bars[i] > 0 ? Math.max(1.5, (bars[i] / top) * (height - 2)) : 1;
    g.fillStyle = colour(bars[i] > 0 ? "--accent" : "--line");
    g.fillRect(i * step, height - h, Math.max(1, step - 1), h);
    if (marked && marked[i] > 0) {
      const m = Math.max(1.5, (marked[i] / top) * (height - 2));
      g.fillStyle = colour("--bad");
      g.fillRect(i * step, height - m, Math.max(1, step - 1), m);
    }
  }
}

function sums(values) {
  const out = [];
  for (let i = values.length; i > 0; i -= 5) out.unshift(values.slice(Math.max(0, i - 5), i).reduce((a, b) => a + b, 0));
  return out;
}
