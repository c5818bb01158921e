import { placeCaption, shorten } from "./captions.js";
import { aligned, area } from "./geometry.js";
import { boxOf, isInside } from "./marking.js";

/** @import {Place} from "./captions.js" */
/** @import {Box, Point} from "./types.js" */
/** @import {Track} from "./tracker.js" */

const HALF_TIME_MS = 20; // of what a new answer corrects
const FADE_MS = 160;
const STALE_MS = 2500; // after this long without an answer, outlines fade: the camera has moved on
const NARROW_PX = 640; // of a phone's picture, where captions are short and small
const LEAST_CAPTION_PX = 72;
/** @type {Record<string, string>} */
const COLORS = { true: "#34d399", false: "#fbbf24", null: "#38bdf8" };

/** @typedef {{quad: Point[], error: Point[] | null, alpha: number, track: Track}} Shown */

/** Draws the tracks' outlines over the picture, at the screen's frame rate, not at that of the answers. */
export class Overlay {
  mirrored = false;
  visible = true;
  /** @type {Track[]} */
  #tracks = [];
  #newsAt = 0;
  #staleAfter = STALE_MS;
  #last = 0;
  /** @type {Place[]} of this frame, so that labels do not overlap */
  #labels = [];
  #drawn = "";
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  /** @type {Map<number, Shown>} */
  #shown = new Map();

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => {width: number, height: number} | null} sizeOf  of the picture, px
   * @param {(track: Track) => Point[]} locate                     where a track is now
   */
  constructor(canvas, sizeOf, locate) {
    this.canvas = canvas;
    this.sizeOf = sizeOf;
    this.locate = locate;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser cannot draw");
    this.context = context;
    new ResizeObserver(() => this.#fit()).observe(canvas);
    requestAnimationFrame((now) => this.#frame(now));
  }

  /** @param {Track[]} tracks @param {boolean} [lasting] for a still picture: outlines do not fade */
  show(tracks, lasting = false) {
    this.#tracks = tracks;
    const now = performance.now();
    // Outlines must not blink between the answers of a slow server.
    this.#staleAfter = lasting ? Infinity : Math.max(STALE_MS, Math.min(30_000, 2 * (now - this.#newsAt)));
    this.#newsAt = now;
  }

  /** The same tracks at a later time, without an answer. @param {Track[]} tracks */
  update(tracks) {
    this.#tracks = tracks;
  }

  clear() {
    this.#tracks = [];
    this.#shown.clear();
  }

  #fit() {
    this.#drawn = "";
    const scale = Math.min(2, devicePixelRatio);
    this.canvas.width = Math.round(this.canvas.clientWidth * scale);
    this.canvas.height = Math.round(this.canvas.clientHeight * scale);
  }

  /** @param {number} now */
  #frame(now) {
    requestAnimationFrame((then) => this.#frame(then));
    const elapsed = Math.min(100, now - this.#last);
    this.#last = now;
    const size = this.sizeOf();
    if (size) this.#move(elapsed, now - this.#newsAt > this.#staleAfter);
    const place = size && this.visible ? this.#placing(size) : null;
    const outlines = place ? [...this.#shown.values()].map((shown) => ({ ...shown, quad: shown.quad.map(place) })) : [];
    const drawn = outlines.map(describe).join();
    if (drawn === this.#drawn) return; // drawing costs even where it changes nothing
    this.#drawn = drawn;
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.#labels = [];
    const boxes = outlines.map(({ quad }) => boxOf(quad));
    outlines.forEach(({ quad, alpha, track }, at) => {
      this.#draw(quad, alpha, track);
      this.#label(boxes[at], boxes.toSpliced(at, 1), track);
    });
  }

  /** The track whose outline is at a point of the window; of several, the smallest one's. @param {number} x @param {number} y @returns {Track | null} */
  pick(x, y) {
    const size = this.sizeOf();
    if (!size || !this.visible) return null;
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    /** @type {Point} */
    const at = [((x - left) * this.canvas.width) / width, ((y - top) * this.canvas.height) / height];
    const place = this.#placing(size);
    const hit = [...this.#shown.values()]
      .map(({ quad, track }) => ({ quad: quad.map(place), track }))
      .filter(({ quad }) => isInside(quad, at))
      .sort((a, b) => area(boxOf(a.quad)) - area(boxOf(b.quad)));
    return hit[0]?.track ?? null;
  }

  /** @param {number} elapsed @param {boolean} stale */
  #move(elapsed, stale) {
    const current = new Map(stale ? [] : this.#tracks.map((track) => [track.id, track]));
    for (const [id, track] of current) {
      const shown = this.#shown.get(id);
      if (shown) this.#carry(shown, track, elapsed);
      else this.#shown.set(id, { quad: this.locate(track), error: null, alpha: 0, track });
    }
    for (const [id, shown] of this.#shown) {
      const track = current.get(id);
      const goal = track ? (track.justSeen ? 0.55 : 1) : 0;
      const step = elapsed / FADE_MS;
      shown.alpha += Math.max(-step, Math.min(step, goal - shown.alpha));
      if (!track && shown.alpha <= 0) this.#shown.delete(id);
    }
  }

  /**
   * An outline is drawn where it is now; only what a new answer corrects is spread over a few frames.
   * @param {Shown} shown @param {Track} track @param {number} elapsed
   */
  #carry(shown, track, elapsed) {
    const quad = aligned(shown.quad, this.locate(track));
    if (shown.track.seenAt !== track.seenAt) shown.error = minus(shown.quad, quad, 1);
    const left = this.#calm.matches ? 0 : 2 ** (-elapsed / HALF_TIME_MS);
    shown.error = shown.error && shown.error.map(([x, y]) => [x * left, y * left]);
    shown.quad = shown.error ? minus(quad, shown.error, -1) : quad;
    shown.track = track;
  }

  /** Fractions of the picture → canvas pixels; the whole picture fits into the stage. @param {{width: number, height: number}} size */
  #placing(size) {
    const { width, height } = this.canvas;
    const scale = Math.min(width / size.width, height / size.height);
    const [w, h] = [size.width * scale, size.height * scale];
    const [left, top] = [(width - w) / 2, (height - h) / 2];
    /** @param {Point} point @returns {Point} */
    return ([x, y]) => [left + (this.mirrored ? 1 - x : x) * w, top + y * h];
  }

  /** @param {Point[]} quad @param {number} alpha @param {Track} track */
  #draw(quad, alpha, track) {
    const { context } = this;
    const unit = this.canvas.width / Math.max(1, this.canvas.clientWidth);
    const color = COLORS[String(track.sure)];
    context.globalAlpha = Math.max(0, Math.min(1, alpha));
    context.beginPath();
    quad.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.fillStyle = `${color}1f`;
    context.fill();
    context.lineJoin = "round";
    context.setLineDash(track.justSeen ? [7 * unit, 6 * unit] : []);
    for (const [style, width] of /** @type {[string, number][]} */ ([
      ["#000000a0", 5],
      [color, 2.5],
    ])) {
      context.strokeStyle = style;
      context.lineWidth = width * unit;
      context.stroke();
    }
    context.setLineDash([]);
  }

  /** @param {Box} own @param {Box[]} others @param {Track} track */
  #label(own, others, track) {
    const { context, canvas } = this;
    const unit = canvas.width / Math.max(1, canvas.clientWidth);
    const isNarrow = canvas.clientWidth < NARROW_PX;
    context.font = `600 ${(isNarrow ? 11 : 13) * unit}px system-ui, sans-serif`;
    const [pad, height] = [(isNarrow ? 5 : 8) * unit, (isNarrow ? 19 : 24) * unit];
    const most = isNarrow ? Math.max(own.x2 - own.x1, LEAST_CAPTION_PX * unit) : canvas.width;
    const text = shorten(caption(track, isNarrow), most - 2 * pad, (part) => context.measureText(part).width);
    const size = { width: context.measureText(text).width + 2 * pad, height, gap: 4 * unit };
    const place = placeCaption(own, others, size, canvas, this.#labels);
    this.#labels.push(place);
    context.fillStyle = COLORS[String(track.sure)];
    context.beginPath();
    context.roundRect(place.x, place.y, place.width, height, 6 * unit);
    context.fill();
    context.fillStyle = "#04110c";
    context.textBaseline = "middle";
    context.fillText(text, place.x + pad, place.y + height / 2 + unit);
  }
}

/** What its drawing depends on. @param {Shown} shown */
function describe({ quad, alpha, track }) {
  return `${quad.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`)} ${alpha.toFixed(2)} ${track.sure} ${caption(track)}`;
}

/** a − sign · b @param {Point[]} a @param {Point[]} b @param {number} sign @returns {Point[]} */
function minus(a, b, sign) {
  return a.map(([x, y], i) => [x - sign * b[i][0], y - sign * b[i][1]]);
}

/** @param {Track} track @param {boolean} [isShort] without what its card says */
function caption({ id, sure, justSeen, reading: { item, score } }, isShort = false) {
  if (isShort) return `#${id} ${item.name}${sure === false ? "?" : ""}`;
  const rarity = item.rarity && ` (${item.rarity})`;
  if (justSeen) return `#${id} ${item.name}${rarity}, just seen`;
  const shown = score === null ? "" : `  ${score.toFixed(2)}`;
  return `#${id} ${item.name}${rarity}${sure === false ? "?" : ""}${shown}`;
}
