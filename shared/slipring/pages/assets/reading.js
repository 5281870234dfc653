// The reading list and the editor: keys for whoever wants no mouse, drafts that save themselves, and nothing typed that gets lost.
// Every page works without this file; only then nothing saves itself.
(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const every = (selector, within = document) => [...within.querySelectorAll(selector)];
  // On the list: c takes the row in hand and opens it, g gives it back.
  document.addEventListener("keydown", (event) => {
    const row = document.activeElement?.closest("[data-rows] li"), wanted = { c: "[data-claim]", g: "[data-give-back]" }[event.key];
    if (!row || !wanted || event.ctrlKey || event.metaKey || event.altKey || document.activeElement.matches("input, textarea, select")) return;
    one(wanted, row)?.click();
  });
  const form = one("[data-editor]");
  if (!form) return;
  const fields = every("textarea[name^='s.'], select[name^='s.']", form);
  const line = one("[data-saved-line]", form), unsaved = one("[data-unsaved]", form);
  const MUST_BE_SEEN = [400, 401, 403, 409, 412, 413, 422];
  const kept = new Map(fields.map((field) => [field, form.dataset.dirty ? null : field.value]));
  const dirty = () => fields.some((field) => kept.get(field) !== field.value);
  const idle = Number(form.dataset.idle) * 1000, autosave = Number(form.dataset.autosave || 0) * 1000;
  let saving = null, refused = false, leaving = false, touchedAt = Date.now(), savedAt = touchedAt;

  const told = () => { if (line && dirty()) line.textContent = line.dataset.unsavedWords; };

  // Saves as the button does. True: it is kept. False: the records are away. A number: an answer that the person must see.
  const send = async () => {
    const sent = new Map(fields.map((field) => [field, field.value]));
    const body = new FormData(form);
    body.set("act", "save");
    let answer;
    try { answer = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(30_000) }); } catch { return false; }
    if (MUST_BE_SEEN.includes(answer.status)) return answer.status;
    if (!answer.ok) return false;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const other = one("[data-editor]", fresh);
    if (!other) return 401;
    form.action = other.getAttribute("action");
    form.dataset.lock = other.dataset.lock;
    history.replaceState(null, "", other.getAttribute("action"));
    for (const hidden of every("input[type=hidden]", form)) {
      const renewed = [...other.elements].find((each) => each.name === hidden.name);
      if (renewed) hidden.value = renewed.value;
    }
    for (const [field, value] of sent) kept.set(field, value);
    delete form.dataset.dirty;
    const says = one("[data-saved-line]", other);
    if (line && says) line.textContent = says.textContent;
    const state = one(".report-state"), renewed = one(".report-state", fresh);
    if (state && renewed) state.replaceChildren(...renewed.childNodes);
    // What a page shows only of a report that is begun.
    for (const part of every("[data-begun]")) if (!part.children.length) part.replaceChildren(...(one("[data-begun]", fresh)?.childNodes ?? []));
    savedAt = Date.now();
    return true;
  };
  const save = () => {
    saving ??= send().then((done) => {
      saving = null;
      if (unsaved) unsaved.hidden = done !== false;
      return done;
    });
    return saving;
  };
  // The form goes as forms do: where a person must see the answer, or where there is nothing left to lose.
  const go = (act) => {
    leaving = true;
    const hidden = document.createElement("input");
    Object.assign(hidden, { type: "hidden", name: "act", value: act });
    form.append(hidden);
    form.submit();
  };
  form.addEventListener("submit", async (event) => {
    const act = event.submitter?.value || "save";
    if (act === "flag" && !saving) { leaving = true; return; }
    event.preventDefault();
    event.stopPropagation();
    if (saving) await saving;
    if (act === "flag") { go(act); return; }
    const done = await save();
    if (done === false) { unsaved?.focus?.(); return; }
    if (done !== true) { go(act); return; }
    if (act !== "save") { leaving = true; location.href = `${new URL(form.action).pathname}/${act}`; }
  });
  window.addEventListener("beforeunload", (event) => { if (!leaving && dirty()) event.preventDefault(); });
  window.addEventListener("pageshow", (event) => {
    leaving = false;
    if (event.persisted) for (const hidden of every("input[type=hidden][name=act]", form)) hidden.remove();
  });

  // What nobody uses any more is cleared; what was typed is saved first, or stays behind the question who is there.
  const lock = async () => {
    if (dirty() && autosave && !refused) await save();
    if (!dirty()) { leaving = true; location.href = form.dataset.lock; return; }
    one("[data-cleared]").hidden = true;
    one("[data-locked]").hidden = false;
  };
  one("[data-go-on]").addEventListener("click", () => go("save"));
  const used = () => { touchedAt = Date.now(); told(); };
  for (const kind of ["keydown", "pointerdown", "input"]) document.addEventListener(kind, used, { passive: true });
  setInterval(async () => {
    const now = Date.now();
    if (idle && now - touchedAt > idle) { touchedAt = now; await lock(); return; }
    if (autosave && !refused && !saving && dirty() && now - savedAt > autosave) {
      savedAt = now;
      const done = await save();
      refused = typeof done === "number";
    }
  }, 5_000);

  // Who has the case: kept while somebody works, told at once when it was lost. Asking keeps nobody signed in.
  let had = false, askedAt = Date.now();
  const ask = async () => {
    const held = one("[data-held]");
    if (!held || held.contains(document.activeElement)) return;
    had ||= "mine" in held.dataset;
    const body = new FormData();
    body.set("form_token", one("input[name=form_token]", form).value);
    if (had) body.set("had", "1");
    if (Date.now() - touchedAt < 300_000) body.set("working", "1");
    try {
      const answer = await fetch(held.dataset.held, { method: "POST", body, headers: { "X-Slipring-Live": "1" }, signal: AbortSignal.timeout(10_000) });
      if (answer.ok && held.isConnected) held.outerHTML = await answer.text();
    } catch { /* asked again in a minute */ }
  };
  if (one("[data-held]")) setInterval(() => { if (Date.now() - askedAt > 60_000) { askedAt = Date.now(); ask(); } }, 5_000);

  // What the checks see in the words, a moment after the last key; places are told in characters, fields count in UTF-16.
  const checks = one("[data-checks]");
  let checking = 0;
  const check = async () => {
    const asked = ++checking, body = new FormData(form);
    body.set("report", new URL(form.action).pathname.match(/\/reports\/([^/]+)$/)?.[1] ?? checks.dataset.report);
    body.set("request", checks.dataset.request);
    try {
      const answer = await fetch(checks.dataset.checks, { method: "POST", body, signal: AbortSignal.timeout(10_000) });
      if (answer.ok && asked === checking && !checks.contains(document.activeElement)) checks.innerHTML = await answer.text();
    } catch { /* the words stay; the next key asks again */ }
  };
  let soon = 0;
  if (checks) form.addEventListener("input", (event) => {
    if (!fields.includes(event.target)) return;
    clearTimeout(soon);
    soon = setTimeout(check, 1_500);
  });
  checks?.addEventListener("click", (event) => {
    const { goto, start, end, code } = event.target.closest("[data-goto]")?.dataset ?? {};
    const finding = one("#finding", form), field = document.getElementById(`s-${goto}`);
    if (code && finding) { finding.value = code; finding.focus(); return; }
    if (!field) return;
    const signs = [...field.value], units = (count) => signs.slice(0, Number(count)).join("").length;
    field.focus();
    field.setSelectionRange(units(start), units(end));
    field.scrollIntoView({ block: "center" });
  });

  for (const button of every("[data-take]", form)) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.take);
      field.value = one("blockquote", button.parentElement).textContent;
      field.focus();
      used();
    });
  }
  document.addEventListener("keydown", (event) => {
    const to = (target) => { event.preventDefault(); target?.focus(); target?.scrollIntoView({ block: "center" }); };
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); one("[data-save]", form)?.click(); }
    else if (event.altKey && /^Digit[1-9]$/.test(event.code)) to(fields[Number(event.code.slice(5)) - 1]);
    else if (event.altKey && event.code === "KeyC") to(one("#finding"));
    else if (event.altKey && event.code === "KeyL") to(one("[data-goto]"));
    else if (event.altKey && event.code === "KeyP") { event.preventDefault(); one("[data-preview]", form)?.click(); }
    else if (event.altKey && event.code === "KeyS") { event.preventDefault(); one("[data-go-sign]", form)?.click(); }
    else if (event.key === "Escape" && form.contains(document.activeElement)) document.activeElement.blur();
  });
})();
