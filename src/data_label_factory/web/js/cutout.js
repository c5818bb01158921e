/** @import {Point} from "./types.js" */

const QUALITY = 0.8;
const LOOK_SIDE = 16; // px: enough to tell two cards of one design apart, too coarse for a hand's tremble

/**
 * What lies within an outline, upright, as a small JPEG. A thing that is seen aslant stays a little slanted.
 * @param {Blob} frame @param {Point[]} quad fractions of the frame, from the thing's top left @param {number} side px, of the
 *   longer one @returns {Promise<string>} a data URL; empty if the browser cannot read the frame
 */
export async function cutOut(frame, quad, side) {
  return withBitmap(frame, "", (bitmap) => {
    const [wide, high] = sidesOf(bitmap, quad);
    const scale = side / Math.max(wide, high, 1);
    const canvas = straighten(bitmap, quad, Math.round(wide * scale), Math.round(high * scale));
    return canvas?.toDataURL("image/jpeg", QUALITY) ?? "";
  });
}

/**
 * What lies within outlines, coarsely, in colors: to be compared by `likeness`.
 * @param {Blob} frame @param {Point[][]} quads @returns {Promise<Float32Array[]>} zeros for what cannot be read
 */
export async function lookAt(frame, quads) {
  const none = () => quads.map(() => new Float32Array(3 * LOOK_SIDE ** 2));
  return withBitmap(frame, none(), (bitmap) =>
    quads.map((quad, i) => {
      const canvas = straighten(bitmap, quad, LOOK_SIDE, LOOK_SIDE);
      const pixels = canvas?.getContext("2d")?.getImageData(0, 0, LOOK_SIDE, LOOK_SIDE).data;
      return pixels ? toColors(pixels) : none()[i];
    }),
  );
}

/** @template T @param {Blob} frame @param {T} otherwise @param {(bitmap: ImageBitmap) => T} read */
async function withBitmap(frame, otherwise, read) {
  const bitmap = await createImageBitmap(frame).catch(() => null);
  if (!bitmap) return otherwise;
  try {
    return read(bitmap);
  } finally {
    bitmap.close();
  }
}

/** @param {ImageBitmap} bitmap @param {Point[]} quad @returns {[number, number]} px */
function sidesOf({ width, height }, [a, b, , d]) {
  return [
    Math.hypot((b[0] - a[0]) * width, (b[1] - a[1]) * height),
    Math.hypot((d[0] - a[0]) * width, (d[1] - a[1]) * height),
  ];
}

/**
 * The parallelogram of three corners as a canvas of this size; null if it is none.
 * @param {ImageBitmap} bitmap @param {Point[]} quad @param {number} width px @param {number} height px
 */
function straighten(bitmap, quad, width, height) {
  const [a, b, , d] = quad.map(([x, y]) => [x * bitmap.width, y * bitmap.height]);
  const [across, down] = [b, d].map(([x, y]) => [x - a[0], y - a[1]]);
  const determinant = across[0] * down[1] - across[1] * down[0];
  if (!determinant || !width || !height) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (!context) return null;
  const [u, v] = [width / determinant, height / determinant];
  const [ux, uy, vx, vy] = [down[1] * u, -down[0] * u, -across[1] * v, across[0] * v];
  context.imageSmoothingQuality = "high";
  context.setTransform(ux, vx, uy, vy, -(ux * a[0] + uy * a[1]), -(vx * a[0] + vy * a[1]));
  context.drawImage(bitmap, 0, 0);
  return canvas;
}

/** @param {Uint8ClampedArray} rgba @returns {Float32Array} red, green and blue of each */
function toColors(rgba) {
  return Float32Array.from(rgba.filter((_, i) => i % 4 !== 3));
}
