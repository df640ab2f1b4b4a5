// Runs before the first paint, so that a chosen theme does not flash. Without a choice, the system decides.
"use strict";
(() => {
  let theme = "";
  try {
    theme = localStorage.getItem("promwire-theme") || "";
  } catch {
    // storage may be forbidden; the choice then lasts as long as the page
  }
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
})();
