// Which view is shown, the theme, the keys, and the line of traffic at the top.
import { el, fill } from "./dom.js";
import { read, go, onChange } from "./state.js";
import * as feed from "./feed.js";
import { short } from "./format.js";
import { live } from "./live.js";
import { metrics } from "./browse.js";
import { query } from "./query.js";
import { status } from "./status.js";

const views = { live, metrics, query, status };
const main = document.getElementById("view");
let current = null;

function show(state) {
  const name = Object.hasOwn(views, state.v || "") ? state.v : "live";
  const view = views[name];
  if (view !== current) {
    if (current) current.hide();
    current = view;
    document.title = `${view.title} · promwire`;
    for (const a of document.querySelectorAll("nav a")) {
      if (a.dataset.view === name) a.setAttribute("aria-current", "page");
      else a.removeAttribute("aria-current");
    }
    fill(main, el("h1.sr", {}, view.title));
    view.mount(main);
  }
  view.show(state);
}

// remembered is the last state of each view, so that coming back finds it as it was left.
const remembered = {};

document.addEventListener("click", (e) => {
  const a = e.target.closest("a[data-view]");
  if (!a || e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  open(a.dataset.view);
});

function open(view) {
  const state = read();
  remembered[state.v || "live"] = state;
  go({ ...remembered[view], v: view });
}

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select")) return;
  const byKey = { 1: "live", 2: "metrics", 3: "query", 4: "status" }[e.key];
  if (byKey) {
    open(byKey);
  } else if (e.key === "/") {
    const field = main.querySelector("[data-search]");
    if (!field) return;
    field.focus();
    field.select();
  } else {
    return;
  }
  e.preventDefault();
});

const themes = { "": "Auto", light: "Light", dark: "Dark" };
const button = document.getElementById("theme");

function nameTheme() {
  const theme = themes[document.documentElement.dataset.theme || ""];
  button.textContent = `◐ ${theme}`;
  button.setAttribute("aria-label", `Theme: ${theme.toLowerCase()}`);
}

button.addEventListener("click", () => {
  const order = Object.keys(themes);
  const theme = order[(order.indexOf(document.documentElement.dataset.theme || "") + 1) % order.length];
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    localStorage.setItem("promwire-theme", theme);
  } catch {
    // then it lasts as long as the page
  }
  nameTheme();
  dispatchEvent(new Event("theme"));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("theme")));

const pulse = document.getElementById("pulse");
feed.subscribe((news, error) => {
  pulse.classList.toggle("lost", Boolean(error));
  pulse.textContent = error ? "not connected"
    : `${short(feed.rate(news.traffic.requests))} req/s · ${short(feed.rate(news.traffic.samples))} samples/s`;
});

nameTheme();
onChange(show);
show(read());
feed.start();
