import { STILL, fitAffine, fitSimilarity, invert, move, similarityOfTwo } from "./motion.js";

/** @import {Motion} from "./motion.js" */
/** @import {Point} from "./types.js" */

/**
 * Optical flow: pyramidal Lucas–Kanade of points inside an outline (Bouguet 2000), and the motion that most of them
 * agree on. Coordinates are px of the largest plane; the center of the first pixel is (0, 0).
 *
 * @typedef {object} Plane
 * @property {number} width
 * @property {number} height
 * @property {Float32Array} data  gray, 0…255
 */

const LEVELS = 3;
const RADIUS = 4; // of the window that is compared, px of each level
const SIDE = 2 * RADIUS + 1;
const AREA = SIDE * SIDE;
const BORDERED = SIDE + 2;
const STEPS = 8;
const STEP_DONE = 0.03; // px
const CELLS = 5; // points are picked one in each cell of such a grid, so that they lie everywhere
const FEWEST = 6;
const ENOUGH_FOR_AFFINE = 12;
const LEAST_TEXTURE = 20; // gray²: the noise of a camera stays below
const LEAST_OF_BEST = 0.03;
const WORST_MATCH = 0.5; // fraction of a window's contrast that is left unexplained
const INLIER_PX = 1;
const LEAST_AGREEING = 0.4; // of the points that were found again; a hand may cover the others

/** @param {ArrayLike<number>} gray @param {number} width @param {number} height @returns {Plane[]} the largest first */
export function buildPyramid(gray, width, height) {
  const planes = [{ width, height, data: Float32Array.from(gray) }];
  while (planes.length < LEVELS) planes.push(halve(planes[planes.length - 1]));
  return planes;
}

/** @param {Plane} plane @returns {Plane} */
function halve({ width, height, data }) {
  const [w, h] = [width >> 1, height >> 1];
  const half = new Float32Array(w * h);
  for (let y = 0; y < h; y++) {
    let at = 2 * y * width;
    for (let x = 0; x < w; x++, at += 2) {
      half[y * w + x] = (data[at] + data[at + 1] + data[at + width] + data[at + width + 1]) / 4;
    }
  }
  return { width: w, height: h, data: half };
}

/** Points inside a convex quad that can be found again. @param {Plane} plane @param {Point[]} quad px @returns {Point[]} */
export function pickPoints(plane, quad) {
  const [left, top] = [0, 1].map((axis) => Math.max(3, Math.ceil(Math.min(...quad.map((p) => p[axis])))));
  const right = Math.min(plane.width - 4, Math.max(...quad.map((p) => p[0])));
  const bottom = Math.min(plane.height - 4, Math.max(...quad.map((p) => p[1])));
  /** @type {Map<number, {point: Point, texture: number}>} */
  const best = new Map();
  for (let y = top; y <= bottom; y += 2) {
    const row = CELLS * Math.floor((CELLS * (y - top)) / (bottom - top + 1));
    for (let x = left; x <= right; x += 2) {
      if (!isInside(quad, x, y)) continue;
      const texture = textureAt(plane, x, y);
      const cell = row + Math.floor((CELLS * (x - left)) / (right - left + 1));
      if (texture > (best.get(cell)?.texture ?? LEAST_TEXTURE)) best.set(cell, { point: [x, y], texture });
    }
  }
  const found = [...best.values()];
  const least = LEAST_OF_BEST * Math.max(...found.map(({ texture }) => texture));
  return found.filter(({ texture }) => texture >= least).map(({ point }) => point);
}

/** @param {Point[]} quad @param {number} x @param {number} y */
function isInside(quad, x, y) {
  let sides = 0;
  quad.forEach(([px, py], i) => {
    const [qx, qy] = quad[(i + 1) % quad.length];
    sides += Math.sign((qx - px) * (y - py) - (qy - py) * (x - px));
  });
  return Math.abs(sides) === quad.length;
}

/** The smaller eigenvalue of the mean structure tensor (Shi and Tomasi 1994). @param {Plane} plane @param {number} x @param {number} y */
function textureAt({ width, data }, x, y) {
  let [xx, xy, yy] = [0, 0, 0];
  for (let v = -2; v <= 2; v++) {
    const row = (y + v) * width + x;
    for (let at = row - 2; at <= row + 2; at++) {
      const dx = (data[at + 1] - data[at - 1]) / 2;
      const dy = (data[at + width] - data[at - width]) / 2;
      xx += dx * dx;
      xy += dx * dy;
      yy += dy * dy;
    }
  }
  return (xx + yy - Math.hypot(xx - yy, 2 * xy)) / 50;
}

/**
 * How what lies at `points` of one frame has moved in another.
 * @param {Plane[]} from @param {Plane[]} to pyramids
 * @param {Point[]} points that `pickPoints` gave for the first
 * @param {number} extent px; the smaller side of what the points lie on
 * @param {Motion} [guess]
 * @returns {Motion | null} null if too few points are found again, or if they disagree
 */
export function follow(from, to, points, extent, guess = STILL) {
  // A window that is larger than the thing sees the ground as well.
  const levels = Math.max(1, Math.min(LEVELS, Math.floor(Math.log2(extent / RADIUS))));
  const back = invert(guess);
  const [starts, ends] = /** @type {[Point[], Point[]]} */ ([[], []]);
  for (const point of points) {
    const end = followPoint(from, to, point, move(guess, point), back, levels);
    if (!end) continue;
    starts.push(point);
    ends.push(end);
  }
  return agree(starts, ends, extent);
}

const template = new Float32Array(BORDERED * BORDERED);
const slopeX = new Float32Array(AREA);
const slopeY = new Float32Array(AREA);
const patch = new Float32Array(AREA);

/**
 * @param {Plane[]} from @param {Plane[]} to @param {Point} point @param {Point} start where to look for it first
 * @param {Motion} back from where it is looked for to where it was; its shift is not used
 * @param {number} levels
 * @returns {Point | null}
 */
function followPoint(from, to, point, start, back, levels) {
  let [x, y] = start;
  for (let level = levels - 1; level >= 0; level--) {
    const scale = 2 ** level;
    const inset = (scale - 1) / 2; // a smaller plane's pixel lies amid those that it is the mean of
    const [fx, fy] = [(point[0] - inset) / scale, (point[1] - inset) / scale];
    const isSeen = sample(from[level], fx, fy, back, BORDERED, template);
    const end = isSeen ? refine(to[level], (x - inset) / scale, (y - inset) / scale) : null;
    if (level === 0 && (!end || end.rest > WORST_MATCH)) return null;
    if (end) [x, y] = [end.x * scale + inset, end.y * scale + inset];
  }
  return [x, y];
}

/** Where the template lies in a plane. @param {Plane} plane @param {number} x @param {number} y its place, roughly */
function refine(plane, x, y) {
  const { xx, xy, yy, mean, contrast } = differentiate();
  const area = xx * yy - xy * xy;
  if (area <= 1e-6 * (xx + yy) ** 2) return null;
  let rest = Infinity;
  for (let step = 0; step < STEPS; step++) {
    if (!sample(plane, x, y, STILL, SIDE, patch)) return null;
    let sum = 0;
    for (let i = 0; i < AREA; i++) sum += patch[i];
    const bias = mean - sum / AREA; // the light may have changed
    let [bx, by, square] = [0, 0, 0];
    for (let v = 0, i = 0; v < SIDE; v++) {
      for (let u = 0, at = (v + 1) * BORDERED + 1; u < SIDE; u++, i++, at++) {
        const error = template[at] - patch[i] - bias;
        bx += error * slopeX[i];
        by += error * slopeY[i];
        square += error * error;
      }
    }
    rest = square / contrast;
    const [dx, dy] = [(yy * bx - xy * by) / area, (xx * by - xy * bx) / area];
    [x, y] = [x + dx, y + dy];
    if (Math.abs(dx) + Math.abs(dy) < STEP_DONE) break;
  }
  return { x, y, rest };
}

/** The template's slopes about their mean, their squares, and the template's mean and contrast. */
function differentiate() {
  let [mean, square, meanX, meanY] = [0, 0, 0, 0];
  for (let v = 0, i = 0; v < SIDE; v++) {
    for (let u = 0, at = (v + 1) * BORDERED + 1; u < SIDE; u++, i++, at++) {
      slopeX[i] = (template[at + 1] - template[at - 1]) / 2;
      slopeY[i] = (template[at + BORDERED] - template[at - BORDERED]) / 2;
      mean += template[at];
      square += template[at] * template[at];
      meanX += slopeX[i];
      meanY += slopeY[i];
    }
  }
  [mean, meanX, meanY] = [mean / AREA, meanX / AREA, meanY / AREA];
  let [xx, xy, yy] = [0, 0, 0];
  for (let i = 0; i < AREA; i++) {
    const [sx, sy] = [(slopeX[i] -= meanX), (slopeY[i] -= meanY)];
    xx += sx * sx;
    xy += sx * sy;
    yy += sy * sy;
  }
  return { xx, xy, yy, mean, contrast: square - AREA * mean * mean };
}

/**
 * A square of a plane around a place, turned and scaled as `turn` says, bilinearly.
 * @param {Plane} plane @param {number} x @param {number} y @param {Motion} turn its shift is not used
 * @param {number} side px @param {Float32Array} into side · side
 * @returns {boolean} whether all of it lies in the plane
 */
function sample({ width, height, data }, x, y, [a, b, , d, e], side, into) {
  const radius = (side - 1) / 2;
  const reachX = radius * (Math.abs(a) + Math.abs(b));
  const reachY = radius * (Math.abs(d) + Math.abs(e));
  if (!(x - reachX >= 0 && y - reachY >= 0 && x + reachX < width - 1 && y + reachY < height - 1)) return false;
  for (let v = -radius, i = 0; v <= radius; v++) {
    let px = x - a * radius + b * v;
    let py = y - d * radius + e * v;
    for (let u = 0; u < side; u++, i++, px += a, py += d) {
      const [left, top] = [px | 0, py | 0];
      const [fx, fy] = [px - left, py - top];
      const at = top * width + left;
      const upper = data[at] + fx * (data[at + 1] - data[at]);
      const lower = data[at + width] + fx * (data[at + width + 1] - data[at + width]);
      into[i] = upper + fy * (lower - upper);
    }
  }
  return true;
}

/**
 * The motion that most pairs agree on: of the similarities of all two pairs the one that most others fit, then least
 * squares over these. The number of points is bounded, so all twos are tried: no chance is involved.
 * @param {Point[]} from @param {Point[]} to @param {number} extent @returns {Motion | null}
 */
function agree(from, to, extent) {
  let most = 0;
  let best = STILL;
  for (let i = 0; i < from.length; i++) {
    for (let j = i + 1; j < from.length; j++) {
      if (Math.hypot(from[i][0] - from[j][0], from[i][1] - from[j][1]) < extent / 3) continue;
      const motion = similarityOfTwo(from[i], from[j], to[i], to[j]);
      const fitting = motion ? countFitting(motion, from, to) : 0;
      if (motion && fitting > most) [most, best] = [fitting, motion];
    }
  }
  if (most < Math.max(FEWEST, LEAST_AGREEING * from.length)) return null;
  const fits = from.map((point, i) => isFitting(best, point, to[i]));
  const [starts, ends] = [from, to].map((points) => points.filter((_, i) => fits[i]));
  const affine = most >= ENOUGH_FOR_AFFINE ? fitAffine(starts, ends) : null;
  return affine ?? fitSimilarity(starts, ends);
}

/** @param {Motion} motion @param {Point[]} from @param {Point[]} to */
function countFitting(motion, from, to) {
  let count = 0;
  for (let i = 0; i < from.length; i++) if (isFitting(motion, from[i], to[i])) count++;
  return count;
}

/** @param {Motion} motion @param {Point} from @param {Point} to */
function isFitting(motion, from, to) {
  const dx = motion[0] * from[0] + motion[1] * from[1] + motion[2] - to[0];
  const dy = motion[3] * from[0] + motion[4] * from[1] + motion[5] - to[1];
  return dx * dx + dy * dy < INLIER_PX * INLIER_PX;
}
