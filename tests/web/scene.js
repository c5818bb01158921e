/** Draws gray frames for the tests: a speckled card on a speckled ground. */

import { invert, move } from "../../src/data_label_factory/web/js/motion.js";

/** @typedef {import("../../src/data_label_factory/web/js/motion.js").Motion} Motion */
/** @typedef {import("../../src/data_label_factory/web/js/types.js").Point} Point */

export const WIDTH = 192;
export const HEIGHT = 144;
/** @type {Point[]} */
export const CARD = [
  [70, 40],
  [115, 40],
  [115, 103],
  [70, 103],
];

/** Smooth noise, the same for the same seed: 0…1. @param {number} x @param {number} y @param {number} seed */
function speckle(x, y, seed) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [fx, fy] = [x - left, y - top].map((t) => t * t * (3 - 2 * t));
  const at = (/** @type {number} */ u, /** @type {number} */ v) => {
    const wave = Math.sin(u * 127.1 + v * 311.7 + seed * 74.7) * 43758.5453;
    return wave - Math.floor(wave);
  };
  const upper = at(left, top) * (1 - fx) + at(left + 1, top) * fx;
  const lower = at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx;
  return upper * (1 - fy) + lower * fy;
}

/**
 * @param {Motion} motion of the card from where it lies at first
 * @param {object} [more]
 * @param {number} [more.contrast] of the card, 0…1
 * @param {number} [more.noise] of the camera, gray levels either way
 * @param {number} [more.light] added everywhere
 * @param {number} [more.coverTo] a hand covers the card from the left to here, px
 * @param {boolean} [more.card] whether there is one
 * @returns {Uint8ClampedArray}
 */
export function draw(motion, { contrast = 1, noise = 0, light = 0, coverTo = 0, card = true } = {}) {
  const gray = new Uint8ClampedArray(WIDTH * HEIGHT);
  const back = invert(motion);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const [u, v] = move(back, [x, y]);
      const isCard = card && u >= 70 && u <= 115 && v >= 40 && v <= 103;
      let value = isCard ? 120 + contrast * 200 * (speckle(u / 4, v / 4, 1) - 0.5) : 60 + 60 * speckle(x / 6, y / 6, 2);
      if (x < coverTo) value = 150 + 40 * speckle((x - coverTo) / 9, y / 9, 3);
      gray[y * WIDTH + x] = value + light + noise * 2 * (random() - 0.5);
    }
  }
  return gray;
}

let state = 1;

/** Park and Miller's, so that every run is the same. */
function random() {
  state = (state * 48271) % 2147483647;
  return state / 2147483647;
}
