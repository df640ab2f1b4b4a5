// The last queries that had an answer, kept by this browser alone.
const key = "promwire-queries";
const most = 8;

export function recent() {
  try {
    const all = JSON.parse(localStorage.getItem(key) || "[]");
    return Array.isArray(all) ? all.filter((q) => typeof q === "string").slice(0, most) : [];
  } catch {
    return []; // storage may be forbidden, or hold what is not ours
  }
}

export function remember(q) {
  if (q.length > 2000) return;
  try {
    localStorage.setItem(key, JSON.stringify([q, ...recent().filter((other) => other !== q)].slice(0, most)));
  } catch {
    // then nothing is remembered
  }
}
