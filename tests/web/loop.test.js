import assert from "node:assert/strict";
import test from "node:test";

import { ApiError } from "../../src/data_label_factory/web/js/apierror.js";
import { Loop } from "../../src/data_label_factory/web/js/loop.js";

const CAMERA_MS = 33;

/** A camera, a page that packs and a server that works, in a time of their own. */
class World {
  now = 0;
  /** @type {{at: number, run: () => void}[]} */
  #events = [];
  #freeAt = 0;
  #newestTaken = -1;
  isStill = false;
  /** @type {number | null} */
  refuse = null;
  most = 0;
  underWay = 0;
  idle = 0;
  packs = 0;
  /** @type {{at: number, age: number}[]} */
  answers = [];
  /** @type {ApiError[]} */
  errors = [];

  /** @param {{work: number, pack: number, capacity: number}} options ms, ms, frames */
  constructor({ work, pack, capacity }) {
    this.work = work;
    this.loop = new Loop({
      clock: () => this.now,
      takeFrame: () => this.#take(pack),
      send: () => this.#send(),
      capacity: () => capacity,
      isStill: () => this.isStill,
      onAnswer: ({ frame }) => this.answers.push({ at: this.now, age: this.now - frame.taken }),
      onError: (error) => this.errors.push(error),
    });
  }

  /** @param {number} ms @returns {Promise<void>} */
  #after(ms) {
    return new Promise((resolve) => this.#events.push({ at: this.now + ms, run: resolve }));
  }

  /** @param {number} pack ms */
  async #take(pack) {
    const shown = Math.floor(this.now / CAMERA_MS);
    if (shown === this.#newestTaken) return null;
    this.#newestTaken = shown;
    this.packs++;
    await this.#after(pack);
    return { picture: new Blob(), taken: shown * CAMERA_MS };
  }

  async #send() {
    this.most = Math.max(this.most, ++this.underWay);
    this.idle += Math.max(0, this.now - this.#freeAt);
    this.#freeAt = Math.max(this.now, this.#freeAt) + this.work;
    await this.#after(this.#freeAt - this.now);
    this.underWay--;
    if (this.refuse !== null) throw new ApiError("no", this.refuse, 700);
    return { sightings: [], isTracked: false };
  }

  /** @param {number} ms */
  async run(ms) {
    const end = this.now + ms;
    for (let at = Math.ceil((this.now + 1) / CAMERA_MS) * CAMERA_MS; at <= end; at += CAMERA_MS) {
      this.#events.push({ at, run: () => this.loop.see() });
    }
    for (;;) {
      this.#events.sort((a, b) => a.at - b.at);
      if (!this.#events.length || this.#events[0].at > end) break;
      const event = /** @type {{at: number, run: () => void}} */ (this.#events.shift());
      this.now = event.at;
      event.run();
      await new Promise(setImmediate);
    }
    this.now = end;
  }
}

/** @param {World} world @param {number} since */
const rate = (world, since) =>
  (1000 * world.answers.filter(({ at }) => at >= since).length) / Math.max(1, world.now - since);

for (const [work, pack, capacity, fewest, idlest, oldest] of [
  [100, 12, 1, 9.2, 0.08, 160],
  [100, 12, 2, 9.8, 0.02, 160],
  [45, 12, 2, 20, 0.05, 120],
  [300, 14, 1, 3.2, 0.03, 365],
  [20, 10, 1, 20, 0.7, 60],
]) {
  test(`${work} ms of work, ${pack} ms to pack, ${capacity} under way: the server hardly waits, frames are fresh`, async () => {
    const world = new World({ work, pack, capacity });
    world.loop.start();
    await world.run(1000);
    const idle = world.idle;
    await world.run(9000);
    assert.ok(rate(world, 1000) >= fewest, `${rate(world, 1000)} answers a second`);
    assert.ok((world.idle - idle) / 9000 <= idlest, `idle ${(world.idle - idle) / 9000}`);
    const ages = world.answers.slice(10).map(({ age }) => age);
    assert.ok(Math.max(...ages) <= oldest, `${Math.max(...ages)} ms old`);
    assert.ok(world.most <= capacity);
    assert.ok(world.packs <= 1.2 * world.answers.length, "packs for nothing");
  });
}

test("a picture that is still is sent twice a second, and at once again when it moves", async () => {
  const world = new World({ work: 40, pack: 10, capacity: 2 });
  world.loop.start();
  await world.run(1000);
  world.isStill = true;
  await world.run(1000);
  await world.run(5000);
  assert.ok(rate(world, 2000) > 1.7 && rate(world, 2000) < 2.3, `${rate(world, 2000)}`);
  world.isStill = false;
  const moved = world.now;
  await world.run(1000);
  assert.ok(rate(world, moved) > 19, `${rate(world, moved)}`);
});

test("a frame that waits for a slow server is packed anew", async () => {
  const world = new World({ work: 60, pack: 10, capacity: 1 });
  world.loop.start();
  await world.run(2000);
  world.work = 1000;
  await world.run(2500);
  const [first, second] = world.answers.filter(({ age }) => age >= 1000);
  assert.ok(second.at - first.at >= 1000);
  assert.ok(second.age < 1150, `${second.age - 1000} ms old when the server began with it`);
});

test("errors pause it, a busy server for as long as it asks, and it goes on", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const [status, pause] of [
    [0, 500],
    [503, 700],
  ]) {
    const world = new World({ work: 50, pack: 10, capacity: 1 });
    world.loop.start();
    await world.run(500);
    world.refuse = status;
    await world.run(150);
    const [failed] = world.errors;
    assert.equal(failed.status, status);
    assert.equal(world.errors.length, 1);
    world.refuse = null;
    const answers = world.answers.length;
    await world.run(pause - 200);
    assert.equal(world.answers.length, answers);
    await world.run(600);
    assert.ok(world.answers.length > answers + 3);
  }
});

test("what a stopped loop has under way is dropped", async () => {
  const world = new World({ work: 50, pack: 10, capacity: 1 });
  world.loop.start();
  await world.run(35);
  assert.equal(world.underWay, 1);
  world.loop.stop();
  await world.run(25);
  assert.deepEqual(world.answers, []);
});

test("a server that says nothing for three seconds is silent, unless it is always as slow", async () => {
  const world = new World({ work: 50, pack: 10, capacity: 1 });
  assert.ok(!world.loop.isSilent);
  world.loop.start();
  await world.run(1000);
  world.work = 5000;
  await world.run(2500);
  assert.ok(!world.loop.isSilent);
  await world.run(1500);
  assert.ok(world.loop.isSilent);
  await world.run(2000);
  assert.ok(!world.loop.isSilent, "it has spoken since");
  await world.run(30_000);
  for (let at = 0; at < 12; at++) {
    await world.run(500);
    assert.ok(!world.loop.isSilent, "it is slow, not silent");
  }
  world.work = 60_000;
  await world.run(40_000);
  assert.ok(world.loop.isSilent);
  world.loop.stop();
  assert.ok(!world.loop.isSilent);
});
