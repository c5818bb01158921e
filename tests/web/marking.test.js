import assert from "node:assert/strict";
import test from "node:test";

import {
  boxOf,
  cornerAt,
  isInside,
  isWhole,
  markable,
  MIDDLE,
  moveCorner,
  nearestToMiddle,
  shareIn,
  shift,
  span,
} from "../../src/data_label_factory/web/js/marking.js";

/** @import {Point} from "../../src/data_label_factory/web/js/types.js" */

/** @type {Point[]} a card that lies askew, its top left being the corner on the right */
const TILTED = [
  [0.7, 0.3],
  [0.6, 0.8],
  [0.2, 0.7],
  [0.3, 0.2],
];

test("a corner goes where it is put, and never makes a part that cannot be cut out", () => {
  const moved = moveCorner(TILTED, 0, [0.9, 0.25]);
  assert.deepEqual(moved[0], [0.9, 0.25]);
  assert.deepEqual(moved.slice(1), TILTED.slice(1));
  for (const folded of /** @type {Point[]} */ ([
    [0.1, 0.9], // beyond the other side
    [0.6, 0.8], // onto its neighbour
    [0.45, 0.5], // into the middle: no longer convex
  ])) {
    assert.deepEqual(moveCorner(TILTED, 0, folded), TILTED);
  }
  assert.deepEqual(moveCorner(TILTED, 0, [1.4, -3])[0], [1, 0], "inside the frame");
});

test("all of it moves as far as the frame allows, and keeps its shape", () => {
  const moved = shift(TILTED, 0.5, -0.1);
  assert.ok(Math.abs(moved[0][0] - 1) < 1e-9);
  assert.ok(Math.abs(moved[3][1] - 0.1) < 1e-9);
  assert.ok(Math.abs(moved[1][0] - moved[0][0] - (TILTED[1][0] - TILTED[0][0])) < 1e-9);
});

test("an outline that was found keeps its own top left; one that is none is not taken", () => {
  assert.deepEqual(markable(TILTED), TILTED);
  assert.deepEqual(markable([[-0.1, 0.3], ...TILTED.slice(1)])?.[0] ?? null, null, "it would be folded");
  const beyond = markable([
    [-0.2, -0.1],
    [1.3, 0],
    [1.1, 1.2],
    [0, 1],
  ]);
  assert.deepEqual(beyond, [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ]);
  assert.equal(markable([...TILTED].reverse()), null, "mirrored");
  assert.equal(markable(TILTED.slice(1)), null);
  assert.ok(isWhole(MIDDLE));
});

test("a drag beside it begins an upright one, whichever way it goes; a click does not", () => {
  const whole = span([0.2, 0.1], [0.6, 0.9]);
  assert.deepEqual(whole, span([0.6, 0.9], [0.2, 0.1]));
  assert.deepEqual(whole && boxOf(whole), { x1: 0.2, y1: 0.1, x2: 0.6, y2: 0.9 });
  assert.equal(span([0.2, 0.1], [0.21, 0.5]), null);
});

test("the nearest corner is taken, within reach", () => {
  assert.equal(cornerAt(TILTED, [0.61, 0.79], [0.05, 0.05]), 1);
  assert.equal(cornerAt(TILTED, [0.5, 0.5], [0.05, 0.05]), -1);
});

test("what lies inside, and how much of another thing does", () => {
  assert.ok(isInside(TILTED, [0.45, 0.5]));
  assert.ok(isInside([...TILTED].reverse(), [0.45, 0.5]));
  assert.ok(!isInside(TILTED, [0.22, 0.25]));
  assert.equal(shareIn(MIDDLE, { x1: 0.5, y1: 0.2, x2: 1, y2: 0.8 }), 0.5);
  assert.equal(shareIn(MIDDLE, { x1: 0.8, y1: 0.2, x2: 1, y2: 0.8 }), 0);
});

test("of several outlines, the one nearest to the middle", () => {
  const [left, middle] = [shift(MIDDLE, -0.2, 0), shift(MIDDLE, 0.05, 0.02)].map((quad) => ({ quad }));
  assert.equal(nearestToMiddle([left, middle]), middle);
  assert.equal(nearestToMiddle([]), null);
});
