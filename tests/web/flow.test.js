import assert from "node:assert/strict";
import test from "node:test";

import { buildPyramid, follow, pickPoints } from "../../src/data_label_factory/web/js/flow.js";
import { STILL, compose, fitAffine, fitSimilarity, invert, move } from "../../src/data_label_factory/web/js/motion.js";
import { CARD, HEIGHT, WIDTH, draw } from "./scene.js";

/** @typedef {import("../../src/data_label_factory/web/js/motion.js").Motion} Motion */

const EXTENT = 45;

/** A turn and scale about the card's middle, then a shift. @param {number} degrees @param {number} scale @param {number} x @param {number} y @returns {Motion} */
function turn(degrees, scale, x, y) {
  const angle = (degrees * Math.PI) / 180;
  const [c, s] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  const [u, v] = [92.5, 71.5];
  return [c, -s, u - c * u + s * v + x, s, c, v - s * u - c * v + y];
}

/** How far the worst corner of the card is off, px. @param {Motion | null} found @param {Motion} wanted */
function error(found, wanted) {
  assert.ok(found, "not followed");
  return Math.max(
    ...CARD.map((corner) => {
      const [a, b] = [move(found, corner), move(wanted, corner)];
      return Math.hypot(a[0] - b[0], a[1] - b[1]);
    }),
  );
}

const pyramid = (/** @type {Uint8ClampedArray} */ gray) => buildPyramid(gray, WIDTH, HEIGHT);
const first = pyramid(draw(STILL));
const points = pickPoints(first[0], CARD);

/** @type {[string, Motion, object][]} */
const motions = [
  ["rest", STILL, {}],
  ["a part of a pixel", turn(0, 1, 0.3, -0.4), {}],
  ["a shift", turn(0, 1, 9.5, -6.25), {}],
  ["a turn", turn(9, 1, 2, 1), {}],
  ["a scale", turn(0, 1.12, -1, 3), {}],
  ["all of these", turn(-7, 0.94, 6, 4), {}],
  ["a tilt", [0.9, 0.04, 6.4, -0.02, 1.02, 1.5], {}],
  ["noise", turn(3, 1, 5, 2), { noise: 8 }],
  ["another light", turn(3, 1, 5, 2), { light: 25 }],
  ["a hand over a third", turn(4, 1, 5, 2), { coverTo: 92 }],
];
for (const [name, motion, more] of motions) {
  test(`the card is followed within a pixel: ${name}`, () => {
    const found = follow(first, pyramid(draw(motion, more)), points, EXTENT);
    assert.ok(error(found, motion) < 1, `${error(found, motion).toFixed(2)} px`);
  });
}

test("with a guess, a large turn is followed as well", () => {
  const motion = turn(70, 1.1, 20, -12);
  const guess = compose(motion, turn(5, 1.03, 2, 2));
  const next = pyramid(draw(motion));
  assert.ok(error(follow(first, next, points, EXTENT, guess), motion) < 0.7);
});

test("points lie inside the card, everywhere", () => {
  assert.ok(points.length >= 20, `${points.length}`);
  for (const [x, y] of points) assert.ok(x >= 70 && x <= 115 && y >= 40 && y <= 103);
  for (const [low, high] of [
    [40, 61],
    [61, 82],
    [82, 103],
  ])
    assert.ok(points.filter(([, y]) => y >= low && y <= high).length >= 6);
});

test("a card without texture, a hidden one and one that was taken away are not followed", () => {
  const blank = pyramid(draw(STILL, { contrast: 0, noise: 6 }));
  assert.equal(follow(blank, blank, pickPoints(blank[0], CARD), EXTENT), null);
  for (const more of [{ coverTo: WIDTH }, { coverTo: 110 }, { card: false }]) {
    assert.equal(follow(first, pyramid(draw(STILL, more)), points, EXTENT), null);
  }
});

test("what lies at or beyond the picture's edge does no harm", () => {
  const quad = CARD.map(([x, y]) => /** @type {[number, number]} */ ([x + 100, y + 80]));
  const few = pickPoints(first[0], quad);
  const away = CARD.map(([x, y]) => /** @type {[number, number]} */ ([x + 400, y]));
  assert.deepEqual(pickPoints(first[0], away), []);
  assert.equal(follow(first, first, few, EXTENT, turn(0, 1, 300, 0)), null);
  assert.ok(follow(first, pyramid(draw(turn(0, 1, -58, 0))), points, EXTENT, turn(0, 1, -56, 1)));
});

test("motions are combined, taken back and fitted", () => {
  const [one, other] = [turn(20, 1.2, 3, -4), /** @type {Motion} */ ([0.9, 0.1, 2, -0.2, 1.1, 5])];
  const moved = CARD.map((corner) => move(other, move(one, corner)));
  assert.ok(error(compose(one, other), fitAffine(CARD, moved) ?? STILL) < 1e-9);
  assert.ok(error(compose(other, invert(other)), STILL) < 1e-9);
  const turned = CARD.map((corner) => move(one, corner));
  assert.ok(error(fitSimilarity(CARD, turned), one) < 1e-9);
  assert.equal(fitAffine([CARD[0], CARD[1], CARD[0]], [CARD[0], CARD[1], CARD[0]]), null);
});
