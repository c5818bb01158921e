/** @import {GrayFrame} from "./follower.js" */

const SETTLED_MS = 1000;
const BLOCK = 8; // px; a block's mean has an eighth of a pixel's noise
// In gray levels of a block. A card that moves by a pixel changes blocks at its edges by about ten.
const LEAST_CHANGE = 2.5;
const MOST_CHANGE = 8;
const NOISE_FACTOR = 6;
const DEVIATION = 0.6745; // the median of |x| of normal noise, in standard deviations

/** Tells whether the camera's picture has been the same for a while: neither its noise nor its light counts. */
export class Stillness {
  /** @type {Float32Array | null} */
  #reference = null;
  #changedAt = 0;

  /** @param {GrayFrame} frame of the camera */
  add(frame) {
    const means = blockMeans(frame);
    const reference = this.#reference;
    if (reference && reference.length === means.length && !isChanged(reference, means)) return;
    this.#reference = means;
    this.#changedAt = frame.at;
  }

  /** @param {number} now ms */
  isStill(now) {
    return this.#reference !== null && now - this.#changedAt >= SETTLED_MS;
  }

  clear() {
    this.#reference = null;
  }
}

/** @param {GrayFrame} frame @returns {Float32Array} */
function blockMeans({ width, height, gray }) {
  const [columns, rows] = [Math.floor(width / BLOCK), Math.floor(height / BLOCK)];
  const means = new Float32Array(columns * rows);
  for (let y = 0; y < rows * BLOCK; y++) {
    let at = y * width;
    for (let block = Math.floor(y / BLOCK) * columns, end = block + columns; block < end; block++) {
      let sum = 0;
      for (const next = at + BLOCK; at < next; at++) sum += gray[at];
      means[block] += sum / BLOCK ** 2;
    }
  }
  return means;
}

/** @param {Float32Array} before @param {Float32Array} after */
function isChanged(before, after) {
  const changes = after.map((mean, i) => mean - before[i]);
  const light = median(changes);
  const sizes = changes.map((change) => Math.abs(change - light));
  const noise = median(sizes) / DEVIATION;
  const limit = Math.min(MOST_CHANGE, Math.max(LEAST_CHANGE, NOISE_FACTOR * noise));
  return sizes.some((size) => size > limit);
}

/** @param {Float32Array} values */
function median(values) {
  return Float32Array.from(values).sort()[values.length >> 1];
}
