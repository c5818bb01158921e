import { area } from "./geometry.js";

/** @import {Box, Point} from "./types.js" */

/**
 * Marking a part of a picture by its four corners. A quad is convex and clockwise on the screen, as the server wants it,
 * from the thing's own top left; what would make it anything else changes nothing.
 */

const LEAST_SIDE = 0.04; // of the frame; less is a slip of the finger
const LEAST_TURN = 1e-4; // twice the area of a corner's triangle, of the frame's area

/** The part that is marked at first where nothing was found. @type {Point[]} */
export const MIDDLE = [
  [0.25, 0.15],
  [0.75, 0.15],
  [0.75, 0.85],
  [0.25, 0.85],
];

/** Whether a quad can be cut out. @param {readonly Point[]} quad */
export function isWhole(quad) {
  return quad.every(([x, y], at) => {
    const [[x1, y1], [x2, y2]] = [quad[(at + 1) % 4], quad[(at + 2) % 4]];
    const turn = (x1 - x) * (y2 - y1) - (y1 - y) * (x2 - x1);
    return turn > LEAST_TURN && Math.hypot(x1 - x, y1 - y) >= LEAST_SIDE;
  });
}

/** An outline that was found, with its corners inside the frame; null if nothing can be cut out of it. @param {readonly Point[]} quad */
export function markable(quad) {
  const inside = quad.map(([x, y]) => /** @type {Point} */ ([clamp(x), clamp(y)]));
  return quad.length === 4 && isWhole(inside) ? inside : null;
}

/** @param {readonly Point[]} quad @param {number} corner 0…3 @param {Point} to @returns {Point[]} */
export function moveCorner(quad, corner, [x, y]) {
  const moved = quad.map((point, at) => /** @type {Point} */ (at === corner ? [clamp(x), clamp(y)] : point));
  return isWhole(moved) ? moved : [...quad];
}

/** Move all of it, as far as the frame allows. @param {readonly Point[]} quad @param {number} dx @param {number} dy @returns {Point[]} */
export function shift(quad, dx, dy) {
  const [right, down] = [within(quad, 0, dx), within(quad, 1, dy)];
  return quad.map(([x, y]) => [x + right, y + down]);
}

/** An upright part between two points. @param {Point} from @param {Point} to @returns {Point[] | null} */
export function span([x1, y1], [x2, y2]) {
  const [left, right, top, bottom] = [Math.min(x1, x2), Math.max(x1, x2), Math.min(y1, y2), Math.max(y1, y2)];
  return markable([
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ]);
}

/** The number of the corner that is within `reach` of a point, else -1. @param {readonly Point[]} quad @param {Point} point @param {Point} reach across and down */
export function cornerAt(quad, [x, y], [across, down]) {
  const far = quad.map((corner) => Math.hypot((corner[0] - x) / across, (corner[1] - y) / down));
  const nearest = far.indexOf(Math.min(...far));
  return far[nearest] <= 1 ? nearest : -1;
}

/** Whether a point lies in a convex quad, whichever way round. @param {readonly Point[]} quad @param {Point} point */
export function isInside(quad, [x, y]) {
  const sides = quad.map(([x1, y1], at) => {
    const [x2, y2] = quad[(at + 1) % quad.length];
    return (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);
  });
  return sides.every((side) => side >= 0) || sides.every((side) => side <= 0);
}

/** @param {readonly Point[]} quad @returns {Box} */
export function boxOf(quad) {
  const [xs, ys] = [quad.map(([x]) => x), quad.map(([, y]) => y)];
  return { x1: Math.min(...xs), y1: Math.min(...ys), x2: Math.max(...xs), y2: Math.max(...ys) };
}

/** How much of `box` lies in the box of a quad, 0…1. @param {readonly Point[]} quad @param {Box} box */
export function shareIn(quad, box) {
  const own = boxOf(quad);
  const common = {
    x1: Math.max(own.x1, box.x1),
    y1: Math.max(own.y1, box.y1),
    x2: Math.min(own.x2, box.x2),
    y2: Math.min(own.y2, box.y2),
  };
  const isApart = common.x2 <= common.x1 || common.y2 <= common.y1;
  return isApart || !area(box) ? 0 : area(common) / area(box);
}

/** Of several outlines, the one whose center is nearest to the frame's. @template {{quad: Point[]}} T @param {readonly T[]} found @returns {T | null} */
export function nearestToMiddle(found) {
  const far = found.map(({ quad }) => {
    const { x1, y1, x2, y2 } = boxOf(quad);
    return Math.hypot((x1 + x2) / 2 - 0.5, (y1 + y2) / 2 - 0.5);
  });
  return found[far.indexOf(Math.min(...far))] ?? null;
}

/** @param {readonly Point[]} quad @param {0 | 1} axis @param {number} by */
function within(quad, axis, by) {
  const places = quad.map((point) => point[axis]);
  return Math.max(-Math.min(...places), Math.min(1 - Math.max(...places), by));
}

/** @param {number} value */
function clamp(value) {
  return Math.max(0, Math.min(1, value));
}
