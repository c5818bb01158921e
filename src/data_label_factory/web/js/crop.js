/** @import {Box, Point} from "./types.js" */
import { corners } from "./geometry.js";

const STEP = 0.02;
const MIN_SIDE = 0.05;

/** Lets the user choose a part of a frame, by dragging or with the arrow keys. */
export class CropChooser {
  /** @type {Box} */
  box = { x1: 0.25, y1: 0.15, x2: 0.75, y2: 0.85 };
  /** @type {ImageBitmap | null} */
  #frame = null;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    canvas.onpointerdown = (event) => this.#drag(event);
    canvas.onkeydown = (event) => this.#key(event);
  }

  /** @returns {Point[]} */
  get quad() {
    return corners(this.box);
  }

  /** @param {Blob} frame */
  async open(frame) {
    this.#frame?.close();
    this.#frame = await createImageBitmap(frame);
    this.canvas.width = this.#frame.width;
    this.canvas.height = this.#frame.height;
    this.box = { x1: 0.25, y1: 0.15, x2: 0.75, y2: 0.85 };
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    this.canvas.setPointerCapture(event.pointerId);
    const from = this.#at(event);
    this.canvas.onpointermove = (move) => {
      const to = this.#at(move);
      const box = {
        x1: Math.min(from[0], to[0]),
        y1: Math.min(from[1], to[1]),
        x2: Math.max(from[0], to[0]),
        y2: Math.max(from[1], to[1]),
      };
      if (box.x2 - box.x1 < MIN_SIDE || box.y2 - box.y1 < MIN_SIDE) return;
      this.box = box;
      this.#draw();
    };
    this.canvas.onpointerup = this.canvas.onpointercancel = () => (this.canvas.onpointermove = null);
  }

  /** @param {PointerEvent} event @returns {Point} */
  #at(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [clamp((event.clientX - left) / width), clamp((event.clientY - top) / height)];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const dx = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key] ?? 0;
    const dy = { ArrowUp: -STEP, ArrowDown: STEP }[event.key] ?? 0;
    if (!dx && !dy) return;
    event.preventDefault();
    const { x1, y1, x2, y2 } = this.box;
    if (event.shiftKey) {
      this.box = { x1, y1, x2: clamp(Math.max(x1 + MIN_SIDE, x2 + dx)), y2: clamp(Math.max(y1 + MIN_SIDE, y2 + dy)) };
    } else if (x1 + dx >= 0 && x2 + dx <= 1 && y1 + dy >= 0 && y2 + dy <= 1) {
      this.box = { x1: x1 + dx, y1: y1 + dy, x2: x2 + dx, y2: y2 + dy };
    }
    this.#draw();
  }

  #draw() {
    const context = this.canvas.getContext("2d");
    if (!context || !this.#frame) return;
    const { width, height } = this.canvas;
    const { x1, y1, x2, y2 } = this.box;
    const cut = /** @type {const} */ ([x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height]);
    context.drawImage(this.#frame, 0, 0);
    context.fillStyle = "rgb(0 0 0 / 60%)";
    context.fillRect(0, 0, width, height);
    context.drawImage(this.#frame, ...cut, ...cut);
    context.strokeStyle = "#34d399";
    context.lineWidth = Math.max(2, width / 240);
    context.strokeRect(...cut);
  }
}

/** @param {number} value */
function clamp(value) {
  return Math.max(0, Math.min(1, value));
}
