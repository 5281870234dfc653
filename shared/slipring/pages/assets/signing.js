// The key of a signer in his browser (WebCrypto, P-256, not extractable, kept in IndexedDB): made here, its certificate asked
// for by a PKCS#10 request that it signs itself, and with it a detached JWS as slipring.signing.jws takes it.
(() => {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);
  const place = one("[data-sign], [data-key]");
  if (!place) return;
  const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" }, SIGNS = { name: "ECDSA", hash: "SHA-256" };
  const utf8 = (text) => new TextEncoder().encode(text);
  const joined = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const base64 = (bytes) => { let text = ""; for (const byte of bytes) text += String.fromCharCode(byte); return btoa(text); };
  const base64url = (bytes) => base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const show = (selector, shown) => { const part = one(selector, place); if (part) part.hidden = !shown; };

  // DER, as much of it as a request needs (X.690; RFC 2986).
  const length = (size) => size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  const der = (tag, ...parts) => { const content = joined(...parts); return joined([tag], length(content.length), content); };
  const positive = (bytes) => {
    let at = 0;
    while (at < bytes.length - 1 && bytes[at] === 0) at += 1;
    return der(0x02, bytes[at] & 0x80 ? [0] : [], bytes.slice(at));
  };
  const COMMON_NAME = [0x06, 0x03, 0x55, 0x04, 0x03], ECDSA_SHA256 = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
  const request = async (keys, name) => {
    const subject = der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, utf8([...name].slice(0, 64).join(""))))));
    const key = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
    const info = der(0x30, der(0x02, [0]), subject, key, der(0xa0));
    const raw = new Uint8Array(await crypto.subtle.sign(SIGNS, keys.privateKey, info));
    const signature = der(0x30, positive(raw.slice(0, 32)), positive(raw.slice(32)));
    const whole = base64(der(0x30, info, der(0x30, ECDSA_SHA256), der(0x03, [0], signature)));
    return `-----BEGIN CERTIFICATE REQUEST-----\n${whole.match(/.{1,64}/g).join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
  };

  // Kept by person: two who share a machine have a key each.
  const store = (mode, act) => new Promise((resolve, reject) => {
    const opening = indexedDB.open("slipring-signing", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result, transaction = database.transaction("keys", mode);
      const asked = act(transaction.objectStore("keys"));
      transaction.oncomplete = () => { database.close(); resolve(asked.result); };
      transaction.onabort = () => { database.close(); reject(transaction.error); };
    };
  });
  const who = place.dataset.who;
  const held = () => store("readonly", (keys) => keys.get(who));
  const keep = (key) => store("readwrite", (keys) => keys.put(key, who));

  // The certificates of a chain (PEM), once its first one is for this key: its public point stands in it.
  const chainFor = async (keys, pem) => {
    const chain = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g)].map((found) => found[1].replace(/\s/g, ""));
    if (!chain.length) return null;
    const point = String.fromCharCode(...new Uint8Array(await crypto.subtle.exportKey("raw", keys.publicKey)));
    try { return atob(chain[0]).includes(point) ? chain : null; } catch { return null; }
  };
  const signed = async (key, payload) => {
    const { role, form, sha256, prev, purpose, purposeWords } = place.dataset;
    const header = {
      alg: "ES256", x5c: key.chain, sigT: new Date().toISOString().replace(/\.\d+Z$/, "Z"), sigRole: role,
      srCms: [{ commId: { id: `urn:oid:${purpose}`, desc: purposeWords } }], form, sha256, ...(prev ? { prev } : {}),
    };
    const encoded = base64url(utf8(JSON.stringify(header)));
    const value = await crypto.subtle.sign(SIGNS, key.privateKey, utf8(`${encoded}.${base64url(payload)}`));
    return `${encoded}..${base64url(new Uint8Array(value))}`;
  };

  const signing = async () => {
    const key = await held(), form = one("[data-sign-here]", place);
    if (!key?.chain) { show("[data-no-key]", true); return; }
    form.hidden = false;
    let busy = false;
    window.addEventListener("pageshow", () => { form.elements.jws.value = ""; busy = false; });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (busy) return;
      busy = true;
      try {
        // What is signed is what was shown: the bytes came with the words.
        const payload = bytesOf(place.dataset.payload);
        form.elements.jws.value = await signed(key, payload);
      } catch {
        show("[data-sign-problem]", true);
        busy = false;
        return;
      }
      form.submit();
    });
  };
  const managing = async () => {
    const draw = async () => {
      let key = await held();
      for (const issued of key && !key.chain ? place.querySelectorAll("template[data-issued]") : []) {
        const chain = await chainFor(key, issued.content.textContent);
        if (chain && !key.chain) { key = { ...key, chain }; await keep(key); }
      }
      const step = !key ? "none" : key.chain ? "ready" : "made";
      for (const part of place.querySelectorAll("[data-step]")) part.hidden = part.dataset.step !== step;
      show("[data-forget]", step !== "none");
      if (step !== "made") return;
      const csr = await request(key, place.dataset.name), field = one("[data-csr]", place);
      one("[data-request]", place).value = csr;
      if (field) field.value = csr;
    };
    one("[data-make]", place).addEventListener("click", async () => {
      if (!(await held())) await keep(await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]));
      await draw();
      one("[data-step='made'] button, [data-step='made'] summary", place)?.focus();
    });
    one("[data-put]", place).addEventListener("click", async () => {
      const key = await held(), chain = await chainFor(key, one("[data-chain]", place).value);
      show("[data-chain-problem]", !chain);
      if (!chain) return;
      await keep({ ...key, chain });
      await draw();
    });
    one("[data-forget-it]", place).addEventListener("click", async () => {
      await store("readwrite", (keys) => keys.delete(who));
      await draw();
    });
    await draw();
  };
  if (!window.isSecureContext || !crypto.subtle) show("[data-insecure]", true);
  else (place.matches("[data-key]") ? managing() : signing()).catch(() => show("[data-no-key]", true));
})();
