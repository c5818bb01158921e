import assert from "node:assert/strict";
import test from "node:test";

import { ScanProbe, likeness } from "../../src/data_label_factory/web/js/scanprobe.js";
import { sighting } from "./sighting.js";

const GAP = 250; // ms between two answers of the server

/** A look by which things are told apart. @param {number} seed */
const look = (seed) => Float32Array.from({ length: 48 }, (_, i) => 100 + 80 * Math.sin(seed * (i + 1)));

/** @param {string} name @param {number} seed @param {number} [x] */
const seen = (name, seed, x = 0.4) => ({ sighting: sighting(name, x, { confident: false }), look: look(seed) });

class Table {
  probe = new ScanProbe();
  now = 0;
  /** @type {string[]} */
  asked = [];

  /** No track is in view, and this lies there. @param {number} times @param {...ReturnType<typeof seen>} things */
  async lie(times, ...things) {
    for (let i = 0; i < times; i++) {
      this.now += GAP;
      if (!this.probe.isDue([], this.now)) continue;
      const found = await this.probe.probe(
        async () => things,
        () => this.now,
      );
      this.asked.push(...found.map(({ item }) => item.name));
    }
    return this.asked.join(" ");
  }

  /** A track is in view. */
  track() {
    this.now += GAP;
    const reading = sighting("Owl", 0.4);
    const tracks = [{ id: 1, quad: reading.quad, reading, sure: true, justSeen: false, seenAt: this.now }];
    assert.equal(this.probe.isDue(tracks, this.now), false);
  }
}

test("what lies there unsure in two frames is asked about, once", async () => {
  const table = new Table();
  assert.equal(await table.lie(2, seen("Elk", 1)), "");
  assert.equal(await table.lie(1, seen("Fox", 1)), "Fox");
  assert.equal(await table.lie(8, seen("Elk", 1)), "Fox");
});

test("another thing in its place is asked about, too", async () => {
  const table = new Table();
  await table.lie(4, seen("Elk", 1));
  assert.equal(await table.lie(4, seen("Elk", 2)), "Elk Elk");
});

test("what moves is not asked about before it is held still", async () => {
  const table = new Table();
  for (let x = 0; x < 0.6; x += 0.1) await table.lie(1, seen("Elk", 1, x));
  assert.equal(table.asked.length, 0);
  assert.equal(await table.lie(2, seen("Elk", 1, 0.6)), "Elk");
});

test("a frame without it is a slip, two are its end, and so is a track", async () => {
  const table = new Table();
  await table.lie(4, seen("Elk", 1));
  await table.lie(1);
  assert.equal(await table.lie(3, seen("Elk", 1)), "Elk");
  await table.lie(2);
  assert.equal(await table.lie(3, seen("Elk", 1)), "Elk Elk");
  table.track();
  assert.equal(await table.lie(4, seen("Elk", 1)), "Elk Elk Elk");
});

test("an answer about a frame before a track came is dropped, and a server that fails says nothing", async () => {
  const table = new Table();
  await table.lie(2, seen("Elk", 1));
  const late = table.probe.probe(
    async () => [seen("Elk", 1)],
    () => table.now,
  );
  table.track();
  assert.deepEqual(await late, []);
  const failed = table.probe.probe(
    () => Promise.reject(new Error("gone")),
    () => table.now,
  );
  assert.deepEqual(await failed, []);
});

test("a picture that does not change is looked at three times, and again once it does", async () => {
  const probe = new ScanProbe();
  let [now, asked] = [0, 0];
  /** @param {number} times @param {boolean} isStill */
  const wait = async (times, isStill) => {
    for (let i = 0; i < times; i++) {
      now += 1000;
      const ask = async () => (asked++, []);
      if (probe.isDue([], now, isStill)) await probe.probe(ask, () => now);
    }
    return asked;
  };
  await wait(1, true); // it begins to be quiet
  assert.equal(await wait(9, true), 3);
  assert.equal(await wait(2, false), 5);
  assert.equal(await wait(9, true), 7);
});

test("likeness does not mind light", () => {
  assert.ok(
    likeness(
      look(1),
      look(1).map((shade) => 0.5 * shade + 9),
    ) > 0.999,
  );
  assert.ok(likeness(look(1), look(2)) < 0.5);
  assert.equal(likeness(new Float32Array(4), look(1).slice(0, 4)), 0);
});
