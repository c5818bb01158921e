/** @import {Point} from "./types.js" */

const QUALITY = 0.8;

/**
 * What lies within an outline, upright, as a small JPEG. A thing that is seen aslant stays a little slanted.
 * @param {Blob} frame @param {Point[]} quad fractions of the frame, from the thing's top left @param {number} side px, of the
 *   longer one @returns {Promise<string>} a data URL; empty if the browser cannot read the frame
 */
export async function cutOut(frame, quad, side) {
  const bitmap = await createImageBitmap(frame).catch(() => null);
  if (!bitmap) return "";
  try {
    return draw(bitmap, quad, side);
  } finally {
    bitmap.close();
  }
}

/** @param {ImageBitmap} bitmap @param {Point[]} quad @param {number} side */
function draw(bitmap, quad, side) {
  const [a, b, , d] = quad.map(([x, y]) => [x * bitmap.width, y * bitmap.height]);
  const across = [b[0] - a[0], b[1] - a[1]];
  const down = [d[0] - a[0], d[1] - a[1]];
  const [wide, high] = [Math.hypot(...across), Math.hypot(...down)];
  const determinant = across[0] * down[1] - across[1] * down[0];
  if (!wide || !high || !determinant) return "";
  const scale = side / Math.max(wide, high);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [wide, high].map((length) => Math.max(1, Math.round(length * scale)));
  const context = canvas.getContext("2d");
  if (!context) return "";
  // The inverse of: (0…width, 0…height) of the canvas → the parallelogram of three corners.
  const [width, height] = [canvas.width / determinant, canvas.height / determinant];
  const x = [down[1] * width, -down[0] * width];
  const y = [-across[1] * height, across[0] * height];
  const shift = [-(x[0] * a[0] + x[1] * a[1]), -(y[0] * a[0] + y[1] * a[1])];
  context.imageSmoothingQuality = "high";
  context.setTransform(x[0], y[0], x[1], y[1], shift[0], shift[1]);
  context.drawImage(bitmap, 0, 0);
  return canvas.toDataURL("image/jpeg", QUALITY);
}
