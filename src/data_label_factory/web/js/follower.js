import { buildPyramid, follow, pickPoints } from "./flow.js";
import { STILL, compose, invert, move } from "./motion.js";

/** @import {Plane} from "./flow.js" */
/** @import {Motion} from "./motion.js" */
/** @import {Point} from "./types.js" */

const KEPT_FRAMES = 64; // two seconds of a camera: longer than a usual answer takes
const CATCH_UP_STEPS = 8;

/**
 * @typedef {object} GrayFrame   a small picture of the camera's
 * @property {number} at         ms, when it was taken
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray} gray
 *
 * @typedef {object} Outline     where an answer says that a thing lies
 * @property {number} id
 * @property {Point[]} quad      fractions of the frame
 * @property {number} seenAt     `at` of the frame that was sent
 * @property {boolean} justSeen  the thing is gone: its outline stays where it was
 *
 * @typedef {object} Followed
 * @property {Outline} outline
 * @property {Plane[]} from      the frame that was sent
 * @property {Point[]} points    px, in that frame
 * @property {number} extent     px, the quad's smaller side
 * @property {Trail} trail       from the frame that was sent to the frames since
 *
 * @typedef {{at: number, motion: Motion}[]} Trail
 */

/**
 * Carries the outlines of answers, which are about frames that were sent a while ago, to the newest frame of the camera.
 * Each is followed from the very frame that was sent, so no error adds up; the next answer begins where this one is.
 */
export class Follower {
  /** @type {GrayFrame[]} */
  #frames = [];
  /** @type {Map<GrayFrame, Plane[]>} */
  #pyramids = new Map();
  /** @type {Map<number, Followed>} */
  #followed = new Map();

  /**
   * A new frame of the camera. Without outlines it costs nothing.
   * @param {GrayFrame} frame @param {boolean} [isStill] nothing has moved, so nothing need be followed
   */
  add(frame, isStill = false) {
    this.#frames.push(frame);
    if (this.#frames.length > KEPT_FRAMES) this.#pyramids.delete(/** @type {GrayFrame} */ (this.#frames.shift()));
    if (isStill) return;
    for (const followed of this.#followed.values()) if (!followed.outline.justSeen) this.#advance(followed, frame);
  }

  /** The outlines of the newest answer, and those that are followed still. @param {Outline[]} outlines */
  show(outlines) {
    const before = this.#followed;
    this.#followed = new Map();
    for (const outline of outlines) {
      const known = before.get(outline.id);
      const isNews = !outline.justSeen && known?.outline.seenAt !== outline.seenAt;
      const followed = isNews ? this.#begin(outline, known) : known;
      if (followed) this.#followed.set(outline.id, { ...followed, outline });
    }
    this.#forgetPyramids();
  }

  /** Where an outline is in the newest frame; as answered if it cannot be followed. @param {Outline} outline @returns {Point[]} */
  locate({ id, quad }) {
    const newest = this.#frames.at(-1);
    const motion = this.#followed.get(id)?.trail.at(-1)?.motion;
    if (!newest || !motion) return quad;
    return quad.map((point) => toFractions(newest, move(motion, toPixels(newest, point))));
  }

  clear() {
    this.#frames = [];
    this.#pyramids.clear();
    this.#followed.clear();
  }

  /** @param {Outline} outline @param {Followed | undefined} known @returns {Followed | null} */
  #begin(outline, known) {
    const sent = this.#frames.findIndex(({ at }) => at === outline.seenAt);
    if (sent < 0) return null;
    const from = this.#pyramid(this.#frames[sent]);
    const quad = outline.quad.map((point) => toPixels(this.#frames[sent], point));
    const followed = { outline, from, points: pickPoints(from[0], quad), extent: smallerSide(quad), trail: [] };
    this.#catchUp(followed, sent, known);
    return followed;
  }

  /** From the frame that was sent to the newest. @param {Followed} followed @param {number} sent its index @param {Followed} [known] */
  #catchUp(followed, sent, known) {
    const { trail, outline } = followed;
    const later = this.#frames.slice(sent + 1);
    trail.push({ at: outline.seenAt, motion: STILL });
    if (known && later.length) {
      // The way is known from the answer before; only its end is measured anew.
      const back = invert(nearest(known.trail, outline.seenAt).motion);
      for (const { at, motion } of known.trail) {
        if (at > outline.seenAt) trail.push({ at, motion: compose(back, motion) });
      }
      const end = trail.length > 1 ? trail.pop() : undefined;
      this.#advance(followed, later[later.length - 1], end?.motion);
    } else {
      const stride = Math.ceil(later.length / CATCH_UP_STEPS);
      const steps = later.filter((_, i) => (later.length - 1 - i) % stride === 0);
      for (const frame of steps) this.#advance(followed, frame);
    }
  }

  /** @param {Followed} followed @param {GrayFrame} frame @param {Motion} [guess] */
  #advance({ from, points, extent, trail }, frame, guess = predict(trail)) {
    const motion = points.length ? follow(from, this.#pyramid(frame), points, extent, guess) : null;
    trail.push({ at: frame.at, motion: motion ?? trail[trail.length - 1].motion });
    if (trail.length > KEPT_FRAMES) trail.shift();
  }

  /** @param {GrayFrame} frame */
  #pyramid(frame) {
    let planes = this.#pyramids.get(frame);
    if (!planes) {
      planes = buildPyramid(frame.gray, frame.width, frame.height);
      this.#pyramids.set(frame, planes);
    }
    return planes;
  }

  /** Frames before the oldest outline's are not looked at again. */
  #forgetPyramids() {
    const oldest = Math.min(...[...this.#followed.values()].map(({ outline }) => outline.seenAt));
    for (const frame of this.#pyramids.keys()) if (frame.at < oldest) this.#pyramids.delete(frame);
  }
}

/** @param {Trail} trail @param {number} time */
function nearest(trail, time) {
  return trail.reduce((best, one) => (Math.abs(one.at - time) < Math.abs(best.at - time) ? one : best));
}

/** Where it will be in the next frame, if it moves on as it did. @param {Trail} trail @returns {Motion} */
function predict(trail) {
  const [before, last] = [trail[trail.length - 2] ?? trail[0], trail[trail.length - 1]];
  return compose(last.motion, compose(invert(before.motion), last.motion));
}

/** Fractions of a frame → px, the first pixel's center at 0. @param {GrayFrame} frame @param {Point} point @returns {Point} */
function toPixels({ width, height }, [x, y]) {
  return [x * width - 0.5, y * height - 0.5];
}

/** @param {GrayFrame} frame @param {Point} point @returns {Point} */
function toFractions({ width, height }, [x, y]) {
  return [(x + 0.5) / width, (y + 0.5) / height];
}

/** @param {Point[]} quad px */
function smallerSide(quad) {
  const sides = quad.map(([x, y], i) => Math.hypot(x - quad[(i + 1) % 4][0], y - quad[(i + 1) % 4][1]));
  return Math.min(...sides);
}
