/** @import {Box, Point} from "./types.js" */

/** @param {Box} a @param {Box} b @returns {number} intersection over union, 0…1 */
export function iou(a, b) {
  const common = shared(a, b);
  return common && common / (area(a) + area(b) - common);
}

/** @param {Box} a @param {Box} b @returns {number} intersection over the smaller one, 0…1 */
export function cover(a, b) {
  const common = shared(a, b);
  return common && common / Math.min(area(a), area(b));
}

/** Area of the intersection. @param {Box} a @param {Box} b */
function shared(a, b) {
  const width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  return Math.max(0, width) * Math.max(0, height);
}

/** @param {Box} box */
export function area(box) {
  return Math.max(0, box.x2 - box.x1) * Math.max(0, box.y2 - box.y1);
}

/** Distance of the centers, in diagonals of the larger box. @param {Box} a @param {Box} b */
export function drift(a, b) {
  const dx = (a.x1 + a.x2 - b.x1 - b.x2) / 2;
  const dy = (a.y1 + a.y2 - b.y1 - b.y2) / 2;
  const size = Math.max(diagonal(a), diagonal(b));
  return size > 0 ? Math.hypot(dx, dy) / size : Infinity;
}

/** @param {Box} box */
function diagonal(box) {
  return Math.hypot(box.x2 - box.x1, box.y2 - box.y1);
}

/** @param {Box} box @returns {Point[]} clockwise from the top left */
export function corners(box) {
  return [
    [box.x1, box.y1],
    [box.x2, box.y1],
    [box.x2, box.y2],
    [box.x1, box.y2],
  ];
}

/**
 * The order of `to`'s corners that is nearest to `from`, so that an outline does not spin when a card turns.
 * @param {Point[]} from @param {Point[]} to @returns {Point[]}
 */
export function aligned(from, to) {
  if (from.length !== to.length) return to;
  let best = to;
  let least = Infinity;
  for (let turn = 0; turn < to.length; turn++) {
    const turned = [...to.slice(turn), ...to.slice(0, turn)];
    const cost = turned.reduce((sum, [x, y], i) => sum + (x - from[i][0]) ** 2 + (y - from[i][1]) ** 2, 0);
    if (cost < least) [best, least] = [turned, cost];
  }
  return best;
}
