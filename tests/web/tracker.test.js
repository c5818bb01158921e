import assert from "node:assert/strict";
import test from "node:test";

import { Tracker } from "../../src/data_label_factory/web/js/tracker.js";
import { sighting } from "./sighting.js";

/** @param {{id: number, reading: {item: {name: string}}}[]} tracks */
const told = (tracks) => tracks.map(({ id, reading }) => `${id} ${reading.item.name}`);

test("two items keep their ids through a gap of three answers", () => {
  const tracker = new Tracker();
  const both = () => [sighting("Owl", 0.1), sighting("Fox", 0.6)];
  const first = told(tracker.update(both()));
  assert.equal(first.length, 2);
  for (let miss = 1; miss <= 3; miss++) {
    const tracks = tracker.update([]);
    assert.deepEqual(told(tracks), first);
    assert.ok(tracks.every((track) => track.misses === miss));
  }
  assert.deepEqual(told(tracker.update(both().reverse())), first);
  assert.equal(tracker.ever, 2);
});

test("an item that is gone for long is dropped, and comes back with another id", () => {
  const tracker = new Tracker();
  tracker.update([sighting("Owl", 0.1)]);
  for (let miss = 0; miss < 10; miss++) tracker.update([]);
  assert.deepEqual(tracker.update([]), []);
  assert.deepEqual(told(tracker.update([sighting("Owl", 0.1)])), ["2 Owl"]);
});

test("two copies of one card are two tracks, in whatever order they come", () => {
  const tracker = new Tracker();
  const [left] = tracker.update([sighting("Owl", 0.1), sighting("Owl", 0.6)]);
  const tracks = tracker.update([sighting("Owl", 0.62), sighting("Owl", 0.12)]);
  assert.equal(tracks.length, 2);
  assert.ok((tracks.find((track) => track.id === left.id)?.box.x1 ?? 1) < 0.3);
});

test("a confident item that jumps across the picture keeps its id", () => {
  const tracker = new Tracker();
  tracker.update([sighting("Owl", 0, { size: 0.1 })]);
  assert.deepEqual(told(tracker.update([sighting("Owl", 0.85, { size: 0.1 })])), ["1 Owl"]);
  assert.deepEqual(told(tracker.update([sighting("Fox", 0.1, { size: 0.1 })])), ["1 Owl", "2 Fox"]);
});

test("crossing items keep their names and ids", () => {
  const tracker = new Tracker();
  tracker.update([sighting("Owl", 0.3), sighting("Fox", 0.45)]);
  assert.deepEqual(told(tracker.update([sighting("Owl", 0.42), sighting("Fox", 0.33)])), ["1 Owl", "2 Fox"]);
});

test("a doubtful name is shown from the second answer on, on a still picture from the first", () => {
  const unsure = () => [sighting("Owl", 0.1, { confident: false })];
  const tracker = new Tracker();
  assert.deepEqual(tracker.update(unsure()), []);
  assert.equal(tracker.ever, 0);
  assert.deepEqual(told(tracker.update(unsure())), ["1 Owl"]);
  assert.deepEqual(told(new Tracker().update(unsure(), { still: true })), ["1 Owl"]);
});

test("another card in the same place is another track, once its name is decided", () => {
  const tracker = new Tracker();
  for (let i = 0; i < 5; i++) tracker.update([sighting("Owl", 0.1)]);
  const names = [];
  for (let i = 0; i < 8; i++) names.push(told(tracker.update([sighting("Fox", 0.1)]))[0]);
  assert.equal(names[0], "1 Owl");
  assert.equal(names.at(-1), "2 Fox");
});

test("ids are not reused after a change of source", () => {
  const tracker = new Tracker();
  tracker.update([sighting("Owl", 0.1)]);
  tracker.reset();
  assert.deepEqual(told(tracker.update([sighting("Owl", 0.1)])), ["2 Owl"]);
});

test("with boxes alone, each keeps its id by its place", () => {
  const tracker = new Tracker();
  const plain = (/** @type {number} */ x) => sighting("card", x, { confident: null, size: 0.1 });
  tracker.update([plain(0.1), plain(0.8)]);
  const tracks = tracker.update([plain(0.82), plain(0.12)]);
  assert.deepEqual(
    tracks.map(({ id, box, sure }) => [id, box.x1, sure]),
    [
      [1, 0.12, null],
      [2, 0.82, null],
    ],
  );
});
