/** @import {Point} from "./types.js" */

/** @typedef {readonly [number, number, number, number, number, number]} Motion  (x, y) → (ax + by + c, dx + ey + f) */

/** @type {Motion} */
export const STILL = [1, 0, 0, 0, 1, 0];

/** @param {Motion} motion @param {Point} point @returns {Point} */
export function move([a, b, c, d, e, f], [x, y]) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** First `first`, then `then`. @param {Motion} first @param {Motion} then @returns {Motion} */
export function compose(first, then) {
  const [a, b, c, d, e, f] = then;
  const [p, q, r, s, t, u] = first;
  return [a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f];
}

/** @param {Motion} motion @returns {Motion} */
export function invert([a, b, c, d, e, f]) {
  const area = a * e - b * d;
  const [p, q, s, t] = [e / area, -b / area, -d / area, a / area];
  return [p, q, -(p * c + q * f), s, t, -(s * c + t * f)];
}

/**
 * The shift, turn and scale that moves two points onto two others; null if they are one point.
 * @param {Point} p @param {Point} q @param {Point} toP @param {Point} toQ @returns {Motion | null}
 */
export function similarityOfTwo(p, q, toP, toQ) {
  const [x, y] = [q[0] - p[0], q[1] - p[1]];
  const [u, v] = [toQ[0] - toP[0], toQ[1] - toP[1]];
  const square = x * x + y * y;
  if (square === 0) return null;
  return around(p, toP, (x * u + y * v) / square, (x * v - y * u) / square);
}

/** The best shift, turn and scale, by least squares. @param {Point[]} from @param {Point[]} to @returns {Motion} */
export function fitSimilarity(from, to) {
  const [center, goal] = [mean(from), mean(to)];
  let [dot, cross, square] = [0, 0, 0];
  from.forEach((point, i) => {
    const [x, y] = [point[0] - center[0], point[1] - center[1]];
    const [u, v] = [to[i][0] - goal[0], to[i][1] - goal[1]];
    dot += x * u + y * v;
    cross += x * v - y * u;
    square += x * x + y * y;
  });
  return square > 0 ? around(center, goal, dot / square, cross / square) : around(center, goal, 1, 0);
}

/** The best affine motion, by least squares; null if the points lie on a line. @param {Point[]} from @param {Point[]} to @returns {Motion | null} */
export function fitAffine(from, to) {
  const [center, goal] = [mean(from), mean(to)];
  let [xx, xy, yy, xu, yu, xv, yv] = [0, 0, 0, 0, 0, 0, 0];
  from.forEach((point, i) => {
    const [x, y] = [point[0] - center[0], point[1] - center[1]];
    const [u, v] = [to[i][0] - goal[0], to[i][1] - goal[1]];
    [xx, xy, yy] = [xx + x * x, xy + x * y, yy + y * y];
    [xu, yu, xv, yv] = [xu + x * u, yu + y * u, xv + x * v, yv + y * v];
  });
  const area = xx * yy - xy * xy;
  if (area <= 1e-3 * xx * yy) return null;
  const [a, b] = [(yy * xu - xy * yu) / area, (xx * yu - xy * xu) / area];
  const [d, e] = [(yy * xv - xy * yv) / area, (xx * yv - xy * xv) / area];
  const [x, y] = center;
  return [a, b, goal[0] - a * x - b * y, d, e, goal[1] - d * x - e * y];
}

/** @param {Point} from @param {Point} to @param {number} cosine times the scale @param {number} sine @returns {Motion} */
function around([x, y], [u, v], cosine, sine) {
  return [cosine, -sine, u - cosine * x + sine * y, sine, cosine, v - sine * x - cosine * y];
}

/** @param {Point[]} points @returns {Point} */
function mean(points) {
  const sum = points.reduce(([x, y], point) => [x + point[0], y + point[1]], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}
