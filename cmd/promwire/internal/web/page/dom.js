// Elements from data. Text only ever becomes text: names and labels are written by strangers.

// el makes an element: el("a.badge.good", {href: "…", onclick: f}, "text", otherElement).
export function el(kind, props = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const e = document.createElement(tag);
  if (classes.length) e.className = classes.join(" ");
  for (const [name, value] of Object.entries(props)) set(e, name, value);
  e.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

function set(e, name, value) {
  if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
  else if (value === true) e.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
}

// fill replaces what an element holds.
export function fill(e, ...children) {
  e.replaceChildren(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

// panel is a titled box; its parts are returned with it.
export function panel(title, ...tools) {
  const body = el("div.body");
  const box = el("section.panel", { "aria-label": title }, el("header", {}, el("h2", {}, title), tools), body);
  return { box, body };
}

// table makes a table with a head; numeric columns are those whose title begins with "#".
export function table(titles, rows, caption) {
  const numeric = titles.map((t) => t.startsWith("#"));
  const head = titles.map((t, i) => el(numeric[i] ? "th.num" : "th", { scope: "col" }, t.replace(/^#/, "")));
  const body = rows.map((cells) => el("tr", {}, cells.map((c, i) => el(numeric[i] ? "td.num" : "td", {}, c))));
  return el("div.scroll", {}, el("table", { "aria-label": caption }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
}

// choice is a group of buttons of which one is pressed.
export function choice(label, options, current, pick) {
  const group = el("span.group", { role: "group", "aria-label": label });
  for (const [value, text] of options) {
    group.append(el("button", { type: "button", "data-value": value, "aria-pressed": String(value === current), onclick: () => pick(value) }, text));
  }
  group.show = (value) => {
    for (const b of group.children) b.setAttribute("aria-pressed", String(b.dataset.value === value));
  };
  return group;
}

// copyButton copies what text returns.
export function copyButton(text) {
  const b = el("button.quiet", { type: "button" }, "Copy");
  b.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      b.textContent = "Copied";
    } catch {
      b.textContent = "Copying is not allowed here";
    }
    setTimeout(() => { b.textContent = "Copy"; }, 1500);
  });
  return b;
}

// colour returns a custom property of the theme in use.
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// canvas sizes a canvas for the screen it is on and returns its context, in CSS pixels.
export function canvas(c) {
  const { width, height } = c.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  c.width = Math.round(width * ratio);
  c.height = Math.round(height * ratio);
  const g = c.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  return { g, width, height };
}
