/** @import {Overlay} from "./overlay.js" */
/** @import {Track} from "./tracker.js" */

/** A press on an outline means its thing. @param {HTMLElement} stage @param {Overlay} overlay @param {(track: Track) => void} onTap */
export function tapOutlines(stage, overlay, onTap) {
  /** @param {MouseEvent} event */
  const hit = ({ target, clientX, clientY }) =>
    target instanceof Element && target.closest("button, a, input, select") ? null : overlay.pick(clientX, clientY);
  stage.addEventListener("click", (event) => {
    const track = hit(event);
    if (track) onTap(track);
  });
  stage.addEventListener("pointermove", (event) => stage.toggleAttribute("data-over", hit(event) !== null));
}
