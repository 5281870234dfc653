// Lists that keep themselves current, an honest age of what is shown, and the word that the connection is lost.
// Every page works without this file.
(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const every = (selector) => [...document.querySelectorAll(selector)];
  const typing = (target) => target.closest && target.closest("input, textarea, select, [contenteditable]");

  // Whether the server is there is asked every 5 s, whether anything changed every 20 s; a hidden page asks nothing.
  // Where seconds count the server tells of changes by itself, and is asked only while it does not.
  // What time alone makes late changes no record: after a minute everything is drawn anew in any case.
  const { ask: ADDRESS = "/department/live", each = "4", stream } = one("main").dataset;
  const ASK = 5_000, PATIENCE = 4_000, EACH = Number(each), OLD = 60_000, SILENT = 6_000;
  const headers = { "x-slipring-live": "1" };
  const asOf = () => one("[data-asof]");
  if (!asOf()) return;
  let asked = 0, checkedAt = Date.now(), drawnAt = checkedAt, behind = false, drawing = false, told = 0;
  let listening = null, heardAt = 0;
  const get = (address) => fetch(address, { headers, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  const show = (selector, shown) => { const line = one(selector); if (line) line.hidden = !shown; };
  const aged = () => { asOf()?.closest(".asof")?.classList.toggle("old", Date.now() - checkedAt > OLD); };
  const busy = (part) => part.contains(document.activeElement) && typing(document.activeElement);
  // What somebody opened, chose or typed in a list outlives its being drawn anew; it is found again by its id.
  const touched = (field) => field.matches("select") ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((choice) => choice.defaultSelected))
    : field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  const begun = () => {
    const opened = every("[data-live] details[open]").map((part) => one("[id]", part)?.id).filter(Boolean);
    const filled = every("[data-live] :is(input, select, textarea)[id]").filter(touched).map(({ id, value, checked }) => ({ id, value, checked }));
    const at = document.activeElement?.closest("[data-live]") && document.activeElement;
    const within = at && (at.id || one("[id]", at.closest("details") ?? at)?.id);
    return () => {
      const found = (id) => document.getElementById(id);
      opened.forEach((id) => found(id)?.closest("details")?.setAttribute("open", ""));
      filled.forEach(({ id, ...kept }) => { const field = found(id); if (field) Object.assign(field, kept); });
      const again = within && found(within);
      if (again) (at.id ? again : one(at.tagName.toLowerCase(), again.closest("details") ?? again))?.focus({ preventScroll: true });
    };
  };
  // One at a time, so that no older page is laid over a newer one; what is told meanwhile is drawn after it.
  const redraw = async () => {
    behind = true;
    if (drawing) return;
    drawing = true;
    try { await drawn(told); } finally { drawing = false; }
  };
  const drawn = async (upTo) => {
    const answer = await get(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const parts = every("[data-live]");
    if (parts.some((part) => busy(part))) return;
    const focused = document.activeElement?.getAttribute("href"), takenUp = begun();
    for (const part of parts) {
      const other = one(`[data-live="${part.dataset.live}"]`, fresh);
      if (other) part.replaceChildren(...other.childNodes);
    }
    takenUp();
    if (focused) every("[data-row]").find((row) => row.getAttribute("href") === focused)?.focus({ preventScroll: true });
    const renewed = one("[data-asof]", fresh);
    if (renewed && !asOf().closest("[data-live]")) asOf().replaceWith(renewed);
    checkedAt = drawnAt = Date.now();
    behind = told !== upTo;
  };
  const stillSo = (text) => {
    const words = one("[data-asof]", new DOMParser().parseFromString(text, "text/html"));
    if (words && !behind) { asOf().replaceWith(words); checkedAt = Date.now(); }
  };
  const since = () => `?since=${encodeURIComponent(asOf().dataset.asof)}`;
  const ask = async () => {
    const whole = asked++ % EACH === 0 && one("[data-live]");
    const answer = await get(ADDRESS + (whole ? since() : ""));
    const out = answer.type === "opaqueredirect" || answer.status === 401;
    show("[data-live-out]", out);
    show("[data-live-lost]", !out && !answer.ok);
    if (out || !answer.ok || !whole) return;
    if (behind || answer.headers.get("x-slipring-changed") === "1" || Date.now() - drawnAt > OLD) await redraw();
    else stillSo(await answer.text());
  };
  const lost = () => show("[data-live-lost]", true);

  // The stream: one event is lines up to an empty one. It ends by itself, and is opened again.
  const hear = (event) => {
    heardAt = Date.now();
    show("[data-live-lost]", false);
    const changed = event.startsWith("event: changed");
    if (changed) told++;
    if (changed || behind) redraw().catch(() => {});
    if (event.startsWith("event: as-of")) stillSo(event.slice(event.indexOf("data: ") + 6));
  };
  const listen = async () => {
    const mine = listening = new AbortController();
    try {
      while (!mine.signal.aborted) {
        heardAt = Date.now();
        const answer = await fetch(ADDRESS + since(), { headers: { ...headers, accept: "text/event-stream" }, redirect: "manual", cache: "no-store", signal: mine.signal });
        if (!answer.ok || !answer.headers.get("content-type")?.startsWith("text/event-stream")) return;
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let kept = "", part = await reader.read(); !part.done; part = await reader.read()) {
          const events = (kept + part.value).split("\n\n");
          kept = events.pop();
          events.forEach(hear);
        }
      }
    } catch { /* the next question says what is the matter */ } finally {
      if (listening === mine) listening = null;
    }
  };
  const fallSilent = () => { listening?.abort(); listening = null; };

  setInterval(() => {
    aged();
    if (document.hidden) return;
    if (!listening) {
      ask().catch(lost);
      if (stream !== undefined) listen();
    } else if (behind || Date.now() - drawnAt > OLD) redraw().catch(() => {});
  }, ASK);
  if (stream === undefined) return;
  setInterval(() => {
    if (listening && !document.hidden && Date.now() - heardAt > SILENT) { lost(); fallSilent(); }
  }, 1_000);
  document.addEventListener("visibilitychange", () => {
    fallSilent();
    if (!document.hidden) { ask().catch(lost); listen(); }
  });
  if (!document.hidden) listen();
})();
