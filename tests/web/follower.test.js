import assert from "node:assert/strict";
import test from "node:test";

import { Follower } from "../../src/data_label_factory/web/js/follower.js";
import { move } from "../../src/data_label_factory/web/js/motion.js";
import { CARD, HEIGHT, WIDTH, draw } from "./scene.js";

/** @typedef {import("../../src/data_label_factory/web/js/types.js").Point} Point */

const EVERY_MS = 33;

/** Where the card is in frame `number`: it swings and turns. @param {number} number @returns {import("../../src/data_label_factory/web/js/motion.js").Motion} */
function swing(number) {
  const angle = 0.25 * Math.sin(number / 9);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const [u, v, x, y] = [92, 71, 25 * Math.sin(number / 8), 12 * Math.sin(number / 5)];
  return [c, -s, u - c * u + s * v + x, s, c, v - s * u - c * v + y];
}

/** @param {number} number @returns {Point[]} the card's outline, fractions */
function outlineIn(number) {
  return CARD.map((corner) => {
    const [x, y] = move(swing(number), corner);
    return [(x + 0.5) / WIDTH, (y + 0.5) / HEIGHT];
  });
}

/** px of the small frame. @param {Point[]} quad @param {number} number */
function error(quad, number) {
  const truth = outlineIn(number);
  return Math.max(...quad.map(([x, y], i) => Math.hypot((x - truth[i][0]) * WIDTH, (y - truth[i][1]) * HEIGHT)));
}

const frameOf = (/** @type {number} */ number, more = {}) => ({
  at: number * EVERY_MS,
  width: WIDTH,
  height: HEIGHT,
  gray: draw(swing(number), { noise: 3, ...more }),
});

/** @param {number} number of the frame that the answer is about */
const answer = (number, more = {}) => ({
  ...{ id: 1, quad: outlineIn(number), seenAt: number * EVERY_MS, justSeen: false },
  ...more,
});

for (const [late, every] of [
  [3, 2],
  [5, 5],
  [15, 12],
]) {
  test(`answers ${late * EVERY_MS} ms late, every ${every * EVERY_MS} ms: the outline is where the card is`, () => {
    const follower = new Follower();
    let outline = answer(0);
    const errors = [];
    const trailing = [];
    for (let now = 0; now < 80; now++) {
      follower.add(frameOf(now));
      if (now >= late && now % every === 0) {
        outline = answer(now - late);
        follower.show([outline]);
      }
      if (now < late + every) continue;
      errors.push(error(follower.locate(outline), now));
      trailing.push(error(outline.quad, now));
    }
    const [mean, worst] = [errors.reduce((a, b) => a + b) / errors.length, Math.max(...errors)];
    assert.ok(worst < 1.5, `${worst.toFixed(2)} px`);
    assert.ok(mean < 0.6, `${mean.toFixed(2)} px`);
    assert.ok(Math.max(...trailing) > 10 * worst, "the card does move");
  });
}

test("what cannot be followed is shown where the answer says, or where it was followed to", () => {
  const follower = new Follower();
  assert.deepEqual(follower.locate(answer(0)), answer(0).quad);
  for (let now = 0; now < 4; now++) follower.add(frameOf(now, { contrast: 0 }));
  follower.show([answer(2)]);
  assert.ok(error(follower.locate(answer(2)), 2) < 1e-9);

  follower.clear();
  for (let now = 0; now < 4; now++) follower.add(frameOf(now));
  follower.show([answer(0)]);
  follower.add(frameOf(4, { card: false }));
  assert.ok(error(follower.locate(answer(0)), 3) < 1);
  follower.show([answer(-20)]);
  assert.deepEqual(follower.locate(answer(-20)), answer(-20).quad, "of a frame that is not kept");
});

test("the outline of a thing that is gone stays where it is, and comes back", () => {
  const follower = new Follower();
  for (let now = 0; now < 4; now++) follower.add(frameOf(now));
  follower.show([answer(2)]);
  follower.show([answer(2, { justSeen: true })]);
  for (let now = 4; now < 8; now++) follower.add(frameOf(now));
  assert.ok(error(follower.locate(answer(2)), 3) < 1);
  follower.show([answer(6)]);
  assert.ok(error(follower.locate(answer(6)), 7) < 1);
  follower.show([]);
  assert.deepEqual(follower.locate(answer(6)), answer(6).quad);
});
