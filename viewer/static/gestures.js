/** Wheel, drag and keys that move a stack. */

const NOTCH = 80;
const GLIDE = 40;
const LINE = 32;

/** How far each key moves from the present picture among so many. */
const KEYS = {
  ArrowDown: (index) => index + 1,
  ArrowRight: (index) => index + 1,
  ArrowUp: (index) => index - 1,
  ArrowLeft: (index) => index - 1,
  PageDown: (index) => index + 10,
  PageUp: (index) => index - 10,
  Home: () => 0,
  End: (index, length) => length - 1,
};

/**
 * Let the reader move through the stack.
 * @param {HTMLElement} surface where the wheel turns and the finger drags
 * @param {import("./stack.js").Stack} stack
 * @param {{onMove: () => void, onPlay: () => void, signal: AbortSignal}} options onMove: before each move by hand
 */
export function attachGestures(surface, stack, { onMove, onPlay, signal }) {
  const move = (index) => {
    onMove();
    stack.go(index);
  };
  surface.addEventListener("wheel", wheelHandler(stack, move), { passive: false, signal });
  attachDrag(surface, stack, move, signal);
  document.addEventListener("keydown", keyHandler(stack, move, onPlay), { signal });
}

/** A notch of a wheel is one picture; a gliding trackpad gathers its small steps. */
function wheelHandler(stack, move) {
  let gathered = 0;
  return (event) => {
    if (event.ctrlKey || stack.length < 2) return;
    event.preventDefault();
    const delta = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    gathered = Math.abs(delta) >= NOTCH || gathered * delta < 0 ? delta : gathered + delta;
    const steps = Math.abs(delta) >= NOTCH ? Math.sign(delta) : Math.trunc(gathered / GLIDE);
    if (!steps) return;
    gathered = 0;
    move(stack.index + steps);
  };
}

/** Dragging down goes forward; the height of the surface is about the whole stack. */
function attachDrag(surface, stack, move, signal) {
  let start = null;
  surface.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button || !event.isPrimary || stack.length < 2) return;
      start = { y: event.clientY, index: stack.index };
      surface.setPointerCapture(event.pointerId);
    },
    { signal },
  );
  surface.addEventListener(
    "pointermove",
    (event) => {
      if (!start || !event.isPrimary) return;
      const pixels = Math.min(24, Math.max(3, surface.clientHeight / stack.length));
      const index = start.index + Math.trunc((event.clientY - start.y) / pixels);
      if (index !== stack.index) move(index);
    },
    { signal },
  );
  for (const end of ["pointerup", "pointercancel"]) {
    surface.addEventListener(end, () => (start = null), { signal });
  }
}

function keyHandler(stack, move, onPlay) {
  return (event) => {
    const target = event.target;
    const isTyping = target.matches("select, textarea, input:not([type=range])");
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping) return;
    if (event.key === " " && !target.closest("button, a")) {
      event.preventDefault();
      onPlay();
    }
    // A panel that scrolls keeps its own keys.
    if (!KEYS[event.key] || target.closest("[data-scrolls]")) return;
    event.preventDefault();
    move(KEYS[event.key](stack.index, stack.length));
  };
}
