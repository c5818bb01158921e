import { cornerAt, isInside, markable, MIDDLE, moveCorner, shift, span } from "./marking.js";

/** @import {Point} from "./types.js" */

const STEP = 0.02;
const REACH_PX = 30; // of a finger around a corner
const HANDLE_PX = 9;
const ARROWS = new Map(
  Object.entries({ ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }),
);

/**
 * Lets the user mark a part of a frame: its corners and all of it can be dragged, a drag beside it begins a new one, and
 * the arrow keys move it or, after 1…4, a corner.
 */
export class CropChooser {
  /** @type {Point[]} clockwise, from the thing's top left */
  quad = MIDDLE;
  /** Whether the user has marked it. */
  isTouched = false;
  /** @type {ImageBitmap | null} */
  #frame = null;
  #corner = -1; // that the keys move; -1: all of it

  /** @param {HTMLCanvasElement} canvas @param {() => void} onChange */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    canvas.onpointerdown = (event) => this.#drag(event);
    canvas.onkeydown = (event) => this.#key(event);
    canvas.onfocus = canvas.onblur = () => this.#draw();
    new ResizeObserver(() => this.#draw()).observe(canvas);
  }

  /** @param {Blob} frame @param {Point[] | null} quad where to begin */
  async open(frame, quad) {
    this.#frame?.close();
    this.#frame = await createImageBitmap(frame);
    this.canvas.width = this.#frame.width;
    this.canvas.height = this.#frame.height;
    this.isTouched = false;
    this.#corner = -1;
    this.begin(quad);
  }

  /** @param {Point[] | null} quad an outline that was found */
  begin(quad) {
    this.quad = (quad && markable(quad)) ?? MIDDLE;
    this.#draw();
    this.onChange();
  }

  /** @param {Point[]} quad */
  #mark(quad) {
    this.quad = quad;
    this.isTouched = true;
    this.#draw();
    this.onChange();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const { canvas, quad: before } = this;
    canvas.setPointerCapture(event.pointerId);
    const from = this.#at(event);
    const { width, height } = canvas.getBoundingClientRect();
    const corner = cornerAt(before, from, [REACH_PX / width, REACH_PX / height]);
    const isMoving = corner < 0 && isInside(before, from);
    this.#corner = corner;
    canvas.onpointermove = (move) => {
      const to = this.#at(move);
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      if (corner >= 0) this.#mark(moveCorner(this.quad, corner, [before[corner][0] + dx, before[corner][1] + dy]));
      else if (isMoving) this.#mark(shift(before, dx, dy));
      else this.#mark(span(from, to) ?? this.quad);
    };
    canvas.onpointerup = canvas.onpointercancel = () => (canvas.onpointermove = null);
    this.#draw();
  }

  /** @param {PointerEvent} event @returns {Point} */
  #at(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (/^[0-4]$/.test(event.key)) {
      this.#corner = Number(event.key) - 1;
      return this.#draw();
    }
    const [dx, dy] = ARROWS.get(event.key) ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    if (event.shiftKey) return this.#grow(dx, dy);
    const corner = this.quad[this.#corner];
    if (corner) this.#mark(moveCorner(this.quad, this.#corner, [corner[0] + dx, corner[1] + dy]));
    else this.#mark(shift(this.quad, dx, dy));
  }

  /** Move the sides that face right and down. @param {number} dx @param {number} dy */
  #grow(dx, dy) {
    const [x, y] = [0, 1].map((axis) => this.quad.reduce((sum, point) => sum + point[axis] / 4, 0));
    const grown = this.quad.map(
      ([left, top]) => /** @type {Point} */ ([left > x ? left + dx : left, top > y ? top + dy : top]),
    );
    this.#mark(markable(grown) ?? this.quad);
  }

  #draw() {
    const context = this.canvas.getContext("2d");
    if (!context || !this.#frame) return;
    const { width, height } = this.canvas;
    const unit = width / Math.max(1, this.canvas.clientWidth); // canvas pixels in a pixel of the page
    const corners = this.quad.map(([x, y]) => [x * width, y * height]);
    const outline = new Path2D();
    corners.forEach(([x, y], at) => (at ? outline.lineTo(x, y) : outline.moveTo(x, y)));
    outline.closePath();
    const shade = new Path2D();
    shade.rect(0, 0, width, height);
    shade.addPath(outline);

    context.drawImage(this.#frame, 0, 0);
    context.fillStyle = "rgb(0 0 0 / 60%)";
    context.fill(shade, "evenodd");
    context.strokeStyle = "#34d399";
    context.lineWidth = 2.5 * unit;
    context.stroke(outline);
    corners.forEach(([x, y], at) => {
      const handle = new Path2D();
      handle.arc(x, y, HANDLE_PX * unit, 0, 2 * Math.PI);
      context.fillStyle = at === this.#corner ? "#34d399" : "#04110c";
      context.fill(handle);
      context.stroke(handle);
    });
  }
}
