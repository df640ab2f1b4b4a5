// Asks once a second what has arrived, while the page can be seen. Only if somebody wants the requests themselves
// does the server write them down.
import { own } from "./api.js";

const listeners = new Set();
let since = 0;
let started = 0;
let tapped = false;
let timer = 0;
let asking = false;

// subscribe has f called with each answer, or with an error; it returns what ends that.
export function subscribe(f) {
  listeners.add(f);
  return () => listeners.delete(f);
}

// tap says whether the requests are wanted.
export function tap(on) {
  tapped = on;
  if (on && timer) ask();
}

// rate is the mean of the last ten seconds.
export function rate(history) {
  const last = history.slice(-10);
  return last.length ? last.reduce((a, b) => a + b, 0) / last.length : 0;
}

export function start() {
  timer = setInterval(ask, 1000);
  document.addEventListener("visibilitychange", ask);
  ask();
}

async function ask() {
  if (asking || document.hidden) return;
  asking = true;
  let news = null;
  let error = null;
  try {
    news = await own("live", { since, tap: tapped ? "1" : "0" });
    if (started && started !== news.started) {
      news.restarted = true;
      if (since) news = { ...await own("live", { tap: tapped ? "1" : "0" }), restarted: true };
    }
    started = news.started;
    if (news.requests.length) since = news.requests.at(-1).seq;
  } catch (e) {
    error = e;
  }
  asking = false;
  for (const f of listeners) f(news, error);
}
