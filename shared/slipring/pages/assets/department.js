// Keys for whoever wants no mouse, and an honest age of what is shown. Every page works without this file.
(() => {
  "use strict";
  const typing = (target) => target.closest && target.closest("input, textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const keys = {
    "/": () => document.querySelector("[data-search]")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    r: () => document.querySelector("[data-refresh]")?.click(),
    "?": () => document.querySelector("[data-help]")?.toggleAttribute("open"),
  };
  const move = (by) => {
    const all = rows();
    const next = all.indexOf(document.activeElement) + by;
    all[Math.max(0, Math.min(all.length - 1, next))]?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  const asOf = document.querySelector(".asof");
  if (asOf) setTimeout(() => asOf.classList.add("old"), 60_000);
})();
