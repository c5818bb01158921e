import assert from "node:assert/strict";
import test from "node:test";

import { placeCaption, shorten } from "../../src/data_label_factory/web/js/captions.js";

const CANVAS = { width: 360, height: 270 };
const CAPTION = { width: 90, height: 20, gap: 4 };
const box = (/** @type {number} */ x1, /** @type {number} */ y1) => ({ x1, y1, x2: x1 + 80, y2: y1 + 100 });

test("a caption stands above its outline, inside where it would cover a neighbour or leave the picture", () => {
  assert.deepEqual(placeCaption(box(20, 150), [], CAPTION, CANVAS, []), { x: 20, y: 126, width: 90 });
  assert.equal(placeCaption(box(20, 150), [box(10, 40)], CAPTION, CANVAS, []).y, 154);
  assert.equal(placeCaption(box(20, 10), [], CAPTION, CANVAS, []).y, 14);
  assert.equal(placeCaption(box(330, 150), [], CAPTION, CANVAS, []).x, 270);
});

test("no caption covers another", () => {
  /** @type {{x: number, y: number, width: number}[]} */
  const taken = [];
  for (let at = 0; at < 4; at++) taken.push(placeCaption(box(20 + at, 150), [], CAPTION, CANVAS, taken));
  taken.sort((a, b) => a.y - b.y);
  for (let at = 1; at < 4; at++) assert.ok(taken[at].y - taken[at - 1].y >= CAPTION.height);
});

test("a text that does not fit ends in …", () => {
  const measure = (/** @type {string} */ text) => 10 * [...text].length;
  assert.equal(shorten("Owl", 30, measure), "Owl");
  assert.equal(shorten("Owl Cub", 60, measure), "Owl C…");
  assert.equal(shorten("Owl Cub", 50, measure), "Owl…");
  assert.equal(shorten("Owl", 1, measure), "…");
});
