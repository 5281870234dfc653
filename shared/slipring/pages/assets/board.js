// The board counts down between two answers of the server: the time left follows the server's clock, not the tablet's.
// Without this file it shows the time left as of when it was drawn.
(() => {
  "use strict";
  const SOON = 5 * 60, SHAPES = { bad: "▲", warn: "◆", good: "●" };
  const drawn = new WeakMap();
  const words = (seconds) => {
    const left = Math.abs(seconds), minutes = Math.floor(left / 60), rest = String(Math.floor(left % 60)).padStart(2, "0");
    return `${minutes}:${rest}`;
  };
  const count = () => {
    for (const mark of document.querySelectorAll("[data-ends]")) {
      if (!drawn.has(mark)) drawn.set(mark, performance.now());
      const passed = (performance.now() - drawn.get(mark)) / 1000;
      const left = (Date.parse(mark.dataset.ends) - Date.parse(mark.dataset.now)) / 1000 - passed;
      const kind = left <= 0 ? "bad" : left <= SOON ? "warn" : "good";
      for (const name of Object.keys(SHAPES)) mark.classList.toggle(name, name === kind);
      mark.querySelector("[data-shape]").textContent = SHAPES[kind];
      mark.querySelector("[data-words]").textContent = (left > 0 ? mark.dataset.left : mark.dataset.over).replace("{}", words(left));
    }
  };
  count();
  setInterval(count, 1000);
})();
