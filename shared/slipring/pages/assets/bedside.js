// Beside the patient: questions that appear as soon as they count, and the field to sign in. Every page works without this file.
(() => {
  "use strict";
  const every = (selector, within = document) => [...within.querySelectorAll(selector)];
  const dependent = every("[data-when]");
  for (const hint of every("[data-only]")) hint.hidden = true;

  // The answers to a question that is asked: what is ticked, chosen or typed in its own fields.
  const answers = (link) => {
    const found = [];
    for (const part of every("[data-link]")) {
      if (part.dataset.link !== link || part.closest("[data-link][hidden]")) continue;
      for (const field of every("input, select, textarea", part)) {
        if (field.closest("[data-link]") !== part || field.name.endsWith(".unit")) continue;
        if (["radio", "checkbox"].includes(field.type) && !field.checked) continue;
        if (field.value.trim()) found.push(field.value.trim());
      }
    }
    return found;
  };
  const numeric = (text) => /^-?\d+(\.\d+)?$/.test(text);
  const compared = (answer, value) => numeric(answer) && numeric(value) ? Number(answer) - Number(value) : answer < value ? -1 : answer > value ? 1 : 0;
  const met = ([link, operator, value]) => {
    const told = answers(link);
    switch (operator) {
      case "exists": return (told.length > 0) === (value === "true");
      case "!=": return !told.includes(value);
      case "=": return told.some((one) => compared(one, value) === 0);
      case ">": return told.some((one) => compared(one, value) > 0);
      case "<": return told.some((one) => compared(one, value) < 0);
      case ">=": return told.some((one) => compared(one, value) >= 0);
      case "<=": return told.some((one) => compared(one, value) <= 0);
    }
    return true;
  };
  const settle = () => {
    for (const part of dependent) {
      const { any, all } = JSON.parse(part.dataset.when);
      part.hidden = !(any ? all.some(met) : all.every(met));
    }
  };
  if (dependent.length) {
    document.addEventListener("input", settle);
    settle();
    settle();  // what hangs on a question further down
  }

  // The field to sign in: what is drawn with a finger, a pen or a mouse goes along as a picture.
  for (const pad of every("[data-pad]")) {
    const [canvas] = every("canvas", pad), [field] = every("input", pad), [wipe] = every("[data-wipe]", pad);
    const pen = canvas.getContext("2d");
    let drawing = false;
    const clear = () => {
      pen.fillStyle = "#ffffff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      field.value = "";
    };
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      drawing = true;
      pen.strokeStyle = "#10202c"; pen.lineWidth = 4; pen.lineCap = pen.lineJoin = "round";
      pen.beginPath();
      pen.moveTo(...at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drawing) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) pen.lineTo(...at(one));
      pen.stroke();
    });
    for (const over of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(over, () => {
        if (drawing) field.value = canvas.toDataURL("image/png");
        drawing = false;
      });
    }
    wipe.addEventListener("click", clear);
    clear();
    pad.hidden = false;
  }
})();
