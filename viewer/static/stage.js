/** The place where a series of pictures is looked at: the picture, what is written on it, and its controls. */

import { instanceMetadata } from "./api.js";
import { Cine } from "./cine.js";
import { el, icon, iconButton } from "./dom.js";
import { attachGestures } from "./gestures.js";
import { t } from "./i18n.js";
import { overlay } from "./overlay.js";
import { framesPerSecond } from "./pictures.js";
import { Ruler } from "./ruler.js";
import { Stack } from "./stack.js";
import { windowPresets } from "./windowing.js";

const RATES = [2, 5, 10, 15, 20, 25, 30, 60];

/**
 * Draw the stage for a series of pictures.
 * @param {import("./pictures.js").Picture[]} pictures all of kind image
 * @param {{modality: string, title: string, corners: Object<string, string[]>}} series corners: see overlay.js
 * @param {AbortSignal} signal ends listening and playing
 * @param {() => void} onMeasured called when a measurement was saved
 * @returns {HTMLElement}
 */
export function stage(pictures, series, signal, onMeasured) {
  const stack = new Stack(pictures);
  const cine = new Cine(stack);
  signal.addEventListener("abort", () => cine.stop());
  const written = overlay(stack, series.corners);
  const ruler = new Ruler(stack, { signal, onSaved: onMeasured });
  const viewport = el(
    "div",
    { class: "viewport", tabindex: "0", role: "group", "aria-label": t("stage.viewport"), "data-testid": "viewport" },
    stack.element,
    written,
    el("p", { class: "viewport-note", role: "status" }),
    ruler.element,
  );
  viewport.classList.toggle("is-single", stack.length < 2);
  reportProgress(stack, viewport, signal);
  const onPlay = () => stack.length > 1 && cine.toggle();
  attachGestures(viewport, stack, { onMove: () => cine.stop(), onPlay, signal });
  const element = el(
    "section",
    { class: "stage", "aria-label": series.title },
    el(
      "div",
      { class: "toolbar" },
      el("h2", { class: "stage-title" }, series.title),
      series.modality === "CT" && windowPresets(stack, signal),
      ruler.button,
      toggleTextButton(written),
      fullScreenButton(() => element),
    ),
    viewport,
    stack.length > 1 && transport(stack, cine, signal),
  );
  requestAnimationFrame(() => stack.go(0));
  return element;
}

/** Say that a picture is on its way, or that it cannot be shown; silence otherwise. */
function reportProgress(stack, viewport, signal) {
  const note = viewport.querySelector(".viewport-note");
  const say = (text) => (note.textContent = text);
  stack.addEventListener("shown", () => {
    viewport.classList.remove("is-empty");
    say("");
  });
  stack.addEventListener("failed", async () => {
    const { index } = stack;
    const isLost = await isUnreachable(stack.url, signal);
    if (signal.aborted || index !== stack.index) return;
    viewport.classList.add("is-empty");
    say(t(isLost ? "stage.lost" : "stage.failed"));
  });
}

/** An image element does not tell a picture that cannot be drawn from a server that does not answer. */
async function isUnreachable(url, signal) {
  const status = await fetch(url, { signal }).then((answer) => answer.status).catch(() => 0);
  return status === 0 || status >= 500;
}

function transport(stack, cine, signal) {
  const slider = el("input", {
    type: "range",
    min: "1",
    max: String(stack.length),
    value: "1",
    "aria-label": t("stage.position"),
    "data-testid": "slider",
    oninput: () => {
      cine.stop();
      stack.go(Number(slider.value) - 1);
    },
  });
  const position = el("output", { class: "position", "data-testid": "position" });
  stack.addEventListener("change", () => {
    const place = { index: stack.index + 1, count: stack.length };
    slider.value = String(place.index);
    slider.style.setProperty("--progress", `${(100 * stack.index) / (stack.length - 1)}%`);
    slider.setAttribute("aria-valuetext", t("stage.place", place));
    position.textContent = `${place.index} / ${place.count}`;
  });
  return el("div", { class: "transport" }, playButton(cine), rateChoice(stack, cine, signal), slider, position);
}

function playButton(cine) {
  const play = iconButton("play", t("stage.play"), () => cine.toggle(), { "data-testid": "play" });
  cine.addEventListener("change", () => {
    const label = t(cine.isPlaying ? "stage.pause" : "stage.play");
    play.replaceChildren(icon(cine.isPlaying ? "pause" : "play"));
    play.setAttribute("aria-label", label);
    play.title = label;
  });
  return play;
}

/** The device's own rate is asked for when the stage opens; a choice made before it comes is kept. */
function rateChoice(stack, cine, signal) {
  const { study, series, instance } = stack.picture;
  const choice = el("select", {
    class: "rate",
    "aria-label": t("stage.rate"),
    onchange: () => {
      choice.dataset.chosen = "true";
      cine.setRate(Number(choice.value));
    },
  });
  const offer = (rate) => {
    const rates = [...new Set([...RATES, rate])].sort((a, b) => a - b);
    choice.replaceChildren(...rates.map((each) => el("option", { value: each }, t("stage.perSecond", { rate: each }))));
    choice.value = String(rate);
    cine.setRate(rate);
  };
  offer(10);
  instanceMetadata(study, series, instance, signal)
    .then((metadata) => choice.dataset.chosen || offer(framesPerSecond(metadata)))
    .catch(() => null); // the rate offered already is a good one
  return choice;
}

function toggleTextButton(written) {
  const toggle = () => {
    written.hidden = !written.hidden;
    switcher.setAttribute("aria-pressed", String(!written.hidden));
  };
  const props = { "aria-pressed": "true", "data-testid": "toggle-text" };
  const switcher = iconButton("text", t("stage.text"), toggle, props);
  return switcher;
}

function fullScreenButton(target) {
  const toggle = () => (document.fullscreenElement ? document.exitFullscreen() : target().requestFullscreen());
  return document.fullscreenEnabled && iconButton("expand", t("stage.full"), toggle);
}
