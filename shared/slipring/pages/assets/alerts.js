// The wall is audible: while a case rings that nobody has confirmed, it sounds, once somebody has turned the sound on.
// Browsers let no page sound before it was touched; until then the button says so. Without this file nothing is lost but the tone.
(() => {
  "use strict";
  const button = document.querySelector("[data-sound]");
  if (!button || !window.AudioContext) return;
  const EVERY = 10_000, TONES = { 1: [880, 660, 880], 2: [660, 550], 3: [550] };
  let context = null;
  button.hidden = false;
  const beep = () => {
    const levels = [...document.querySelectorAll("[data-ringing]")].map((one) => one.dataset.ringing).sort();
    if (!context || !levels.length) return;
    (TONES[levels[0]] || TONES[1]).forEach((pitch, place) => {
      const tone = context.createOscillator(), volume = context.createGain(), at = context.currentTime + place * 0.3;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.2, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.25);
      tone.connect(volume).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.26);
    });
  };
  button.addEventListener("click", () => {
    const on = !context;
    if (on) context = new AudioContext();
    else { context.close(); context = null; }
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? button.dataset.on : button.dataset.off;
    beep();
  });
  setInterval(beep, EVERY);
})();
