import { cover, drift } from "./geometry.js";

/** @import {Sighting} from "./types.js" */
/** @import {Track} from "./tracker.js" */

const QUIET_MS = 250; // without a track; a thing that is known has one sooner
const GAP_MS = 200; // between an answer and the next probe
// Correlation of two looks. At one drawn card, outlines off by 1 %: 0.95 and more in 95 %; at two cards of one design: less
// than 0.9 in 99 %.
const LIKE = 0.9;
const MOST_STILL = 3; // probes of a picture that does not change: an empty table costs nothing
const SAME_PLACE = 0.5; // of the smaller box
const MOST_DRIFT = 0.15; // diagonals between two probes of a thing that is held still

/**
 * @typedef {object} Seen
 * @property {Sighting} sighting
 * @property {Float32Array} look
 */

/**
 * Finds things that no track tells of. A server that tracks says little about what it does not know: where nothing is in
 * view for a moment, a frame is asked about on its own. What lies there unsure in two such frames, in one place and
 * looking the same, is a thing to ask the user about, once.
 */
export class ScanProbe {
  #quietSince = NaN;
  #answeredAt = -Infinity;
  #isBusy = false;
  #askedStill = 0;
  #generation = 0;
  /** @type {Seen[]} of the newest probe */
  #before = [];
  /** @type {Seen[]} that the user was asked about and that still lie there */
  #asked = [];

  /** Whether to ask about a frame now. @param {Track[]} tracks @param {number} now ms @param {boolean} [isStill] nothing has moved */
  isDue(tracks, now, isStill = false) {
    if (!isStill) this.#askedStill = 0;
    if (tracks.some(({ justSeen }) => !justSeen)) this.reset();
    else if (Number.isNaN(this.#quietSince)) this.#quietSince = now;
    if (isStill && this.#askedStill >= MOST_STILL) return false;
    return !this.#isBusy && now - this.#quietSince >= QUIET_MS && now - this.#answeredAt >= GAP_MS;
  }

  /**
   * Ask about a frame.
   * @param {() => Promise<Seen[]>} ask  what is unsure in the frame
   * @param {() => number} clock         ms
   * @returns {Promise<Sighting[]>} what the user is to be asked about
   */
  async probe(ask, clock) {
    const generation = this.#generation;
    this.#isBusy = true;
    this.#askedStill += 1;
    const seen = await ask().catch(() => []);
    this.#isBusy = false;
    this.#answeredAt = clock();
    return generation === this.#generation ? this.#judge(seen) : [];
  }

  /** Something else came: what lay there is gone. */
  reset() {
    this.#generation++;
    this.#quietSince = NaN;
    [this.#before, this.#asked] = [[], []];
  }

  /** @param {Seen[]} seen @returns {Sighting[]} */
  #judge(seen) {
    const steady = seen.filter((one) => this.#before.some((other) => isHeld(one, other)));
    const asked = this.#asked;
    const fresh = steady.filter((one) => !asked.some((other) => isSame(one, other)));
    // One probe without it may be a slip of the server's, two are not.
    this.#asked = asked.map((one) => seen.find((other) => isSame(one, other)) ?? one);
    if (!seen.length && !this.#before.length) this.#asked = [];
    this.#asked.push(...fresh);
    this.#before = seen;
    return fresh.map(({ sighting }) => sighting);
  }
}

/** @param {Seen} one @param {Seen} other */
function isHeld(one, other) {
  return isSame(one, other) && drift(one.sighting.box, other.sighting.box) <= MOST_DRIFT;
}

/** @param {Seen} one @param {Seen} other */
function isSame(one, other) {
  return cover(one.sighting.box, other.sighting.box) >= SAME_PLACE && likeness(one.look, other.look) >= LIKE;
}

/** The correlation of two looks, −1…1. @param {Float32Array} one @param {Float32Array} other */
export function likeness(one, other) {
  const [mean, mean2] = [one, other].map((look) => look.reduce((sum, shade) => sum + shade, 0) / look.length);
  let [both, square, square2] = [0, 0, 0];
  for (let i = 0; i < one.length; i++) {
    const [x, y] = [one[i] - mean, other[i] - mean2];
    both += x * y;
    square += x * x;
    square2 += y * y;
  }
  return square && square2 ? both / Math.sqrt(square * square2) : 0;
}
