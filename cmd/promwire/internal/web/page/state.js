// What the page shows is in its URL: it can be shared, and the browser's back button works.

const listeners = new Set();

// read returns the state: v (view) and what the view needs.
export function read() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

// write changes parts of the state; what is empty is left out. A push makes a step for the back button.
export function write(changes, { push = false, quiet = false } = {}) {
  const next = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  if (text === new URLSearchParams(location.search).toString()) return;
  history[push ? "pushState" : "replaceState"](null, "", text ? `?${text}` : location.pathname);
  if (!quiet) tell();
}

// go shows another view, with nothing of the one before.
export function go(state) {
  history.pushState(null, "", `?${new URLSearchParams(state)}`);
  tell();
}

// onChange has f called with the state whenever it changes.
export function onChange(f) {
  listeners.add(f);
}

function tell() {
  const state = read();
  for (const f of listeners) f(state);
}

addEventListener("popstate", tell);
