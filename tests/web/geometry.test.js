import assert from "node:assert/strict";
import test from "node:test";

import { aligned, corners, drift, glide, iou } from "../../src/data_label_factory/web/js/geometry.js";

const unit = { x1: 0, y1: 0, x2: 1, y2: 1 };

test("overlap is intersection over union", () => {
  assert.equal(iou(unit, unit), 1);
  assert.equal(iou(unit, { x1: 0.5, y1: 0, x2: 1.5, y2: 1 }), 0.5 / 1.5);
  assert.equal(iou(unit, { x1: 1, y1: 0, x2: 2, y2: 1 }), 0);
  assert.equal(iou({ x1: 0, y1: 0, x2: 0, y2: 0 }, { x1: 0, y1: 0, x2: 0, y2: 0 }), 0);
});

test("drift is measured in the larger box's diagonal", () => {
  assert.ok(Math.abs(drift(unit, { x1: 1, y1: 0, x2: 2, y2: 1 }) - 1 / Math.SQRT2) < 1e-12);
});

test("gliding two half times in one step or in two is the same, and never overshoots", () => {
  const [from, to] = [corners(unit), corners({ x1: 1, y1: 1, x2: 2, y2: 2 })];
  const once = glide(from, to, 20, 10);
  const twice = glide(glide(from, to, 10, 10), to, 10, 10);
  assert.ok(once.every(([x, y], i) => Math.abs(x - twice[i][0]) < 1e-12 && Math.abs(y - twice[i][1]) < 1e-12));
  assert.ok(Math.abs(once[0][0] - 0.75) < 1e-12);
  assert.ok(glide(from, to, 1e6, 10)[0][0] <= 1);
  assert.deepEqual(glide(from, to, 5, 0), to);
});

test("an outline whose first corner changes does not spin", () => {
  const quad = corners(unit);
  assert.deepEqual(aligned(quad, [quad[2], quad[3], quad[0], quad[1]]), quad);
});
