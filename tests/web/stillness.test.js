import assert from "node:assert/strict";
import test from "node:test";

import { STILL } from "../../src/data_label_factory/web/js/motion.js";
import { Stillness } from "../../src/data_label_factory/web/js/stillness.js";
import { HEIGHT, WIDTH, draw } from "./scene.js";

/** @typedef {import("../../src/data_label_factory/web/js/motion.js").Motion} Motion */

/** Whether three seconds at 30 frames a second end still. @param {(number: number) => Uint8ClampedArray} film */
function endsStill(film) {
  const stillness = new Stillness();
  for (let i = 0; i < 90; i++) stillness.add({ at: i * 33, width: WIDTH, height: HEIGHT, gray: film(i) });
  return stillness.isStill(90 * 33);
}

/** @param {number} x @param {number} y @returns {Motion} */
const shift = (x, y) => [1, 0, x, 0, 1, y];

test("a still picture is still after a second, whatever the noise and the light", () => {
  const stillness = new Stillness();
  assert.equal(stillness.isStill(0), false);
  for (let at = 0; at < 1000; at += 100) {
    stillness.add({ at, width: WIDTH, height: HEIGHT, gray: draw(STILL, { noise: 4 }) });
    assert.equal(stillness.isStill(at), false);
  }
  assert.equal(stillness.isStill(1000), true);
  assert.ok(endsStill(() => draw(STILL, { noise: 12 })));
  assert.ok(endsStill((i) => draw(STILL, { noise: 4, light: 3 * Math.sin(i / 4) })));
});

test("what moves by a pixel a second is not still", () => {
  assert.ok(!endsStill((i) => draw(shift(i / 30, 0), { noise: 6 })));
  assert.ok(!endsStill((i) => draw(shift(0, Math.sin(i / 20)), { noise: 6 })));
});

test("a change ends it at once, also of a small part", () => {
  const stillness = new Stillness();
  const add = (/** @type {number} */ at, /** @type {Uint8ClampedArray} */ gray) =>
    stillness.add({ at, width: WIDTH, height: HEIGHT, gray });
  for (let at = 0; at <= 1500; at += 33) add(at, draw(STILL, { noise: 6 }));
  assert.ok(stillness.isStill(1500));
  const gray = draw(STILL, { noise: 6 });
  for (let y = 10; y < 20; y++) for (let x = 10; x < 20; x++) gray[y * WIDTH + x] += 30;
  add(1533, gray);
  assert.ok(!stillness.isStill(1533));
});

test("another size is another picture", () => {
  const stillness = new Stillness();
  stillness.add({ at: 0, width: WIDTH, height: HEIGHT, gray: draw(STILL) });
  stillness.add({ at: 1500, width: HEIGHT, height: WIDTH / 2, gray: draw(STILL) });
  assert.equal(stillness.isStill(1500), false);
  stillness.clear();
  assert.equal(stillness.isStill(9000), false);
});
