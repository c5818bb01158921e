import assert from "node:assert/strict";
import test from "node:test";

import { aligned, corners, cover, drift, iou } from "../../src/data_label_factory/web/js/geometry.js";

const unit = { x1: 0, y1: 0, x2: 1, y2: 1 };

test("overlap is intersection over union", () => {
  assert.equal(iou(unit, unit), 1);
  assert.equal(iou(unit, { x1: 0.5, y1: 0, x2: 1.5, y2: 1 }), 0.5 / 1.5);
  assert.equal(iou(unit, { x1: 1, y1: 0, x2: 2, y2: 1 }), 0);
  assert.equal(iou({ x1: 0, y1: 0, x2: 0, y2: 0 }, { x1: 0, y1: 0, x2: 0, y2: 0 }), 0);
});

test("cover is the part of the smaller box that lies in the other", () => {
  assert.equal(cover(unit, { x1: 0.2, y1: 0.2, x2: 0.4, y2: 0.3 }), 1);
  assert.ok(Math.abs(cover({ x1: 0.9, y1: 0, x2: 1.1, y2: 1 }, unit) - 0.5) < 1e-12);
  assert.equal(cover(unit, { x1: 1, y1: 0, x2: 2, y2: 1 }), 0);
});

test("drift is measured in the larger box's diagonal", () => {
  assert.ok(Math.abs(drift(unit, { x1: 1, y1: 0, x2: 2, y2: 1 }) - 1 / Math.SQRT2) < 1e-12);
});

test("an outline whose first corner changes does not spin", () => {
  const quad = corners(unit);
  assert.deepEqual(aligned(quad, [quad[2], quad[3], quad[0], quad[1]]), quad);
});
