import assert from "node:assert/strict";
import test from "node:test";

import { Tracker } from "../../src/data_label_factory/web/js/tracker.js";
import { sighting } from "./sighting.js";

/** @typedef {import("../../src/data_label_factory/web/js/tracker.js").Track} Track */
/** @typedef {import("../../src/data_label_factory/web/js/types.js").Sighting} Sighting */

/** @param {Track[]} tracks @returns {string[]} such as "1 Owl", "2 Fox?", "3 Elk (just seen)" */
const told = (tracks) =>
  tracks.map(({ id, reading, sure, justSeen }) => {
    return `${id} ${reading.item.name}${justSeen ? " (just seen)" : sure === false ? "?" : ""}`;
  });

const owl = (x = 0.1) => sighting("Owl", x);
const fox = (x = 0.1) => sighting("Fox", x);
/** @param {string} name @param {number} [x] */
const doubtful = (name, x = 0.1) => sighting(name, x, { confident: false });

/** Answers that come at a pace of `gap` ms. */
class Film {
  tracker = new Tracker();
  now = 0;

  /** @param {number} [gap] */
  constructor(gap = 100) {
    this.gap = gap;
  }

  /** @param {...Sighting} sightings of one answer */
  answer(...sightings) {
    this.now += this.gap;
    return told(this.tracker.update(sightings, this.now));
  }

  /** @param {number} ms without a single answer */
  wait(ms) {
    this.now += ms;
    return told(this.tracker.at(this.now));
  }
}

test("two items keep their ids through a gap of three answers", () => {
  const film = new Film();
  const first = film.answer(owl(0.1), fox(0.6));
  assert.deepEqual(first, ["1 Owl", "2 Fox"]);
  for (let miss = 1; miss <= 3; miss++) assert.deepEqual(film.answer(), first);
  assert.deepEqual(film.answer(fox(0.6), owl(0.1)), first);
  assert.equal(film.tracker.ever, 2);
});

for (const gap of [40, 150, 350]) {
  test(`with an answer every ${gap} ms, what is gone is soon not sure, then gone`, () => {
    const film = new Film(gap);
    film.answer(owl());
    const left = film.now;
    while (film.now - left < 2000) {
      const shown = film.answer();
      const lost = film.now - left;
      const wanted = lost < 400 ? ["1 Owl"] : lost < 1500 ? ["1 Owl (just seen)"] : [];
      assert.deepEqual(shown, wanted, `${lost} ms`);
    }
    film.wait(2000);
    assert.deepEqual(film.answer(owl()), ["2 Owl"]);
  });
}

test("what a missed answer began goes on without further answers; what was seen stays", () => {
  const film = new Film();
  film.answer(owl(0.1), fox(0.6));
  assert.deepEqual(film.wait(5000), ["1 Owl", "2 Fox"]);
  assert.equal(film.tracker.isFading, false);
  film.answer(owl(0.1), fox(0.6));
  assert.deepEqual(film.answer(owl(0.1)), ["1 Owl", "2 Fox"]);
  assert.equal(film.tracker.isFading, true);
  assert.deepEqual(film.wait(299), ["1 Owl", "2 Fox"]);
  assert.deepEqual(film.wait(1), ["1 Owl", "2 Fox (just seen)"]);
});

test("a slow server needs two answers to lose a thing, and the first is enough for doubt", () => {
  const film = new Film(2000);
  film.answer(owl());
  assert.deepEqual(film.answer(), ["1 Owl (just seen)"]);
  assert.deepEqual(film.answer(owl()), ["1 Owl"]);
  film.answer();
  assert.deepEqual(film.answer(), []);
});

test("seconds count from when the frame was taken", () => {
  const tracker = new Tracker();
  tracker.update([owl()], 300, { taken: 0 });
  assert.deepEqual(told(tracker.update([], 390, { taken: 350 })), ["1 Owl"]);
  assert.deepEqual(told(tracker.at(400)), ["1 Owl (just seen)"]);
});

for (const pause of [0, 2, 5, 10]) {
  test(`another card in the same place after ${pause} empty answers is another thing`, () => {
    const film = new Film();
    for (let i = 0; i < 10; i++) film.answer(owl());
    for (let i = 0; i < pause; i++) film.answer();
    const [first, second] = [film.answer(fox(0.13)), film.answer(fox(0.13))];
    if (pause) assert.deepEqual(first, ["2 Fox"]);
    else assert.deepEqual(first, ["1 Owl (just seen)"]);
    assert.deepEqual(second, ["2 Fox"]);
    assert.deepEqual(film.answer(fox(0.13)), ["2 Fox"]);
  });
}

test("a smaller card laid where a book was is another thing", () => {
  const film = new Film();
  film.answer(sighting("Book", 0.1, { size: 0.6 }));
  const card = () => sighting("Card", 0.3, { size: 0.15, y: 0.3 });
  film.answer(card());
  assert.deepEqual(film.answer(card()), ["2 Card"]);
});

test("a single odd answer, even a sure one, names nothing and leaves nothing sure", () => {
  const film = new Film();
  for (let i = 0; i < 3; i++) film.answer(owl());
  assert.deepEqual(film.answer(fox()), ["1 Owl (just seen)"]);
  assert.deepEqual(film.answer(owl()), ["1 Owl?"]);
  assert.deepEqual(film.answer(owl()), ["1 Owl"]);
  assert.equal(film.tracker.ever, 1);
});

test("two names that alternate in one place: neither is sure", () => {
  const film = new Film();
  film.answer(owl());
  for (let i = 0; i < 10; i++) {
    assert.deepEqual(film.answer(fox()), ["1 Owl (just seen)"]);
    assert.deepEqual(film.answer(owl()), ["1 Owl?"]);
  }
});

test("two cards that lie over each other are two tracks, also when one is missed for a moment", () => {
  const film = new Film();
  film.answer(owl(0.1));
  assert.deepEqual(film.answer(owl(0.1), fox(0.2)), ["1 Owl", "2 Fox"]);
  assert.deepEqual(film.answer(fox(0.2)), ["1 Owl", "2 Fox"]);
  assert.deepEqual(film.answer(owl(0.1), fox(0.2)), ["1 Owl", "2 Fox"]);
});

test("a known card that is moved to another's place ends that one, too", () => {
  const film = new Film();
  film.answer(owl(0.1), fox(0.6));
  film.answer(fox(0.12));
  assert.deepEqual(film.answer(fox(0.12)), ["2 Fox"]);
});

test("a doubtful reading of another item neither keeps a thing nor revives it", () => {
  const film = new Film();
  film.answer(owl());
  film.answer();
  const shown = [];
  for (let i = 0; i < 18; i++) shown.push(film.answer(doubtful("Fox")).join());
  assert.deepEqual([...new Set(shown)], ["1 Owl", "1 Owl (just seen)", "2 Fox?"]);
  assert.equal(shown.indexOf("1 Owl (just seen)"), 2);
  assert.equal(shown.indexOf("2 Fox?"), 13);
  assert.deepEqual(film.answer(sighting("Elk", 0.1)), ["3 Elk"]);
});

test("one doubtful answer does not delay a sure one", () => {
  for (const name of ["Owl", "Fox"]) {
    const film = new Film();
    assert.deepEqual(film.answer(doubtful(name)), []);
    assert.deepEqual(film.answer(owl()), ["1 Owl"]);
  }
  const film = new Film();
  for (let i = 0; i < 20; i++) film.answer(doubtful("Owl"));
  assert.deepEqual(film.answer(owl()), ["1 Owl"]);
});

test("doubtful readings of its own name keep a thing, and for two seconds sure", () => {
  const film = new Film();
  film.answer(owl());
  for (let i = 1; i < 20; i++) assert.deepEqual(film.answer(doubtful("Owl")), ["1 Owl"]);
  assert.deepEqual(film.answer(doubtful("Owl")), ["1 Owl?"]);
  film.answer(owl());
  film.wait(500);
  film.answer();
  assert.deepEqual(film.answer(doubtful("Owl")), ["1 Owl?"], "sure no more: it was out of sight");
});

test("two seconds later, the same name in about the same place, or sure anywhere, has its id", () => {
  for (const place of [0.15, 0.75]) {
    const film = new Film();
    film.answer(owl());
    for (let i = 0; i < 18; i++) film.answer();
    assert.deepEqual(film.answer(owl(place)), ["1 Owl"]);
  }
  const film = new Film();
  for (const card of [owl, fox, fox]) film.answer(card());
  assert.deepEqual([film.answer(owl()), film.answer(owl())][1], ["1 Owl"]);
});

test("two copies of one card are two tracks, in whatever order they come", () => {
  const tracker = new Tracker();
  const [left] = tracker.update([owl(0.1), owl(0.6)], 0);
  const tracks = tracker.update([owl(0.62), owl(0.12)], 100);
  assert.equal(tracks.length, 2);
  assert.ok((tracks.find((track) => track.id === left.id)?.quad[0][0] ?? 1) < 0.3);
});

test("a confident item that jumps across the picture keeps its id", () => {
  const film = new Film();
  film.answer(sighting("Owl", 0, { size: 0.1 }));
  assert.deepEqual(film.answer(sighting("Owl", 0.85, { size: 0.1 })), ["1 Owl"]);
  film.answer(sighting("Owl", 0.85, { size: 0.1 }), sighting("Fox", 0.1, { size: 0.1 }));
  assert.deepEqual(film.answer(sighting("Fox", 0.1, { size: 0.1 })), ["1 Owl", "2 Fox"]);
});

test("crossing items keep their names and ids", () => {
  const film = new Film();
  film.answer(owl(0.3), fox(0.45));
  assert.deepEqual(film.answer(owl(0.42), fox(0.33)), ["1 Owl", "2 Fox"]);
});

test("near-duplicates of one item are one track", () => {
  const film = new Film();
  film.answer({ ...owl(), twins: ["Owl foil.jpg"] });
  assert.deepEqual(film.answer(sighting("Owl foil", 0.1)), ["1 Owl foil"]);
});

test("a doubtful name is shown from the second answer on, on a still picture from the first", () => {
  const film = new Film();
  assert.deepEqual(film.answer(doubtful("Owl")), []);
  assert.equal(film.tracker.ever, 0);
  assert.deepEqual(film.answer(doubtful("Owl")), ["1 Owl?"]);
  assert.deepEqual(told(new Tracker().update([doubtful("Owl")], 0, { still: true })), ["1 Owl?"]);
  film.answer();
  assert.deepEqual(film.answer(doubtful("Elk", 0.7)), ["1 Owl?"]);
  film.answer();
  assert.deepEqual(film.answer(doubtful("Elk", 0.7)), ["1 Owl (just seen)"], "not twice running");
});

test("ids are not reused after a change of source", () => {
  const film = new Film();
  film.answer(owl());
  film.tracker.reset();
  assert.deepEqual(film.answer(owl()), ["2 Owl"]);
});

test("with boxes alone, each keeps its id by its place", () => {
  const tracker = new Tracker();
  const plain = (/** @type {number} */ x) => sighting("card", x, { confident: null, size: 0.1 });
  tracker.update([plain(0.1), plain(0.8)], 0);
  const tracks = tracker.update([plain(0.82), plain(0.12)], 100);
  assert.deepEqual(
    tracks.map(({ id, quad, sure }) => [id, quad[0][0], sure]),
    [
      [1, 0.12, null],
      [2, 0.82, null],
    ],
  );
});
