// Keys for whoever wants no mouse, an honest age of what is shown, and lists that keep themselves current.
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

  // Whether the server is there is asked every 5 s, whether anything changed every 20 s; a hidden page asks nothing.
  // What time alone makes late changes no record: after a minute everything is drawn anew in any case.
  const { ask: ADDRESS = "/department/live", each = "4" } = one("main").dataset;
  const ASK = 5_000, PATIENCE = 4_000, EACH = Number(each), OLD = 60_000;
  const headers = { "x-slipring-live": "1" };
  const asOf = () => one("[data-asof]");
  if (!asOf()) return;
  let asked = 0, checkedAt = Date.now(), drawnAt = checkedAt;
  const get = (address) => fetch(address, { headers, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  const show = (selector, shown) => { const line = one(selector); if (line) line.hidden = !shown; };
  const aged = () => { asOf()?.closest(".asof")?.classList.toggle("old", Date.now() - checkedAt > OLD); };
  const busy = (part) => part.contains(document.activeElement) && typing(document.activeElement);
  const redraw = async () => {
    const answer = await get(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = every("[data-live]");
    if (parts.some((part) => busy(part))) return;
    const focused = document.activeElement?.getAttribute("href");
    for (const part of parts) {
      const other = one(`[data-live="${part.dataset.live}"]`, fresh);
      if (other) part.replaceChildren(...other.childNodes);
    }
    if (focused) every("[data-row]").find((row) => row.getAttribute("href") === focused)?.focus({ preventScroll: true });
    const renewed = one("[data-asof]", fresh);
    if (renewed && !asOf().closest("[data-live]")) asOf().replaceWith(renewed);
    checkedAt = drawnAt = Date.now();
  };
  const ask = async () => {
    if (document.hidden) return;
    const since = asked++ % EACH === 0 && one("[data-live]") ? asOf().dataset.asof : "";
    const answer = await get(ADDRESS + (since ? `?since=${encodeURIComponent(since)}` : ""));
    const out = answer.type === "opaqueredirect" || answer.status === 401;
    show("[data-live-out]", out);
    show("[data-live-lost]", !out && !answer.ok);
    if (out || !answer.ok || !since) return;
    if (answer.headers.get("x-slipring-changed") === "1" || Date.now() - drawnAt > OLD) { await redraw(); return; }
    const words = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-asof]");
    if (words) { asOf().replaceWith(words); checkedAt = Date.now(); }
  };
  setInterval(() => {
    aged();
    ask().catch(() => show("[data-live-lost]", true));
  }, ASK);
})();
