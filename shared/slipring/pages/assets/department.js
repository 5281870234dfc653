// Keys for whoever wants no mouse, the print button, and forms that are sent once.
// Every page works without this file.
(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const every = (selector) => [...document.querySelectorAll(selector)];
  const typing = (target) => target.closest && target.closest("input, textarea, select, [contenteditable]");
  const keys = {
    "/": () => one("[data-search]")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    n: () => one("[data-further]")?.click(),
    r: () => one("[data-refresh]")?.click(),
    "?": () => { const help = one("[data-help]"); if (help) { help.open = !help.open; one("summary", help).focus(); } },
  };
  const move = (by) => {
    const all = every("[data-row]");
    const next = all.indexOf(document.activeElement) + by;
    all[Math.max(0, Math.min(all.length - 1, next))]?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  for (const button of every("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // A second press of a button sends nothing twice; a form that answers with a file may be sent again soon.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    setTimeout(() => { delete event.target.dataset.sent; }, 4000);
  });
  window.addEventListener("pageshow", () => { for (const form of every("form")) delete form.dataset.sent; });
})();
