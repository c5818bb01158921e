import assert from "node:assert/strict";
import test from "node:test";

import { readAnswer } from "../../src/data_label_factory/web/js/answers.js";

const box = { x1: 0.1, y1: 0.2, x2: 0.3, y2: 0.4 };

test("a whole mask", () => {
  const {
    sightings: [seen],
  } = readAnswer(
    {
      masks: [
        {
          bbox_norm: box,
          area_fraction: 0.04,
          label: "Owl (UR)?",
          name: "Owl",
          rarity: "UR",
          set_code: "AB-001",
          score: 0.7,
          margin: 0.2,
          confident: false,
          ref_filename: "owl.jpg",
          ref_url: "/refs/owl.jpg",
          inliers: 3,
          quad_norm: [
            [0, 0],
            [1, 0],
            [1, 1],
            [0, 1],
          ],
          top_k: [
            { name: "Owl", filename: "owl.jpg", score: 0.7 },
            { name: "Fox", filename: "fox.jpg", score: 0.5 },
          ],
          price: { usd_median: 1.5, median: 225, currency: "JPY", scraped_at: "2026-11-01", rarity: null },
        },
      ],
    },
    "card",
  );
  assert.deepEqual(seen.item, {
    key: "owl.jpg",
    name: "Owl",
    rarity: "UR",
    setCode: "AB-001",
    refUrl: "/refs/owl.jpg",
    refFilename: "owl.jpg",
  });
  assert.deepEqual(
    seen.runnersUp.map(({ name }) => name),
    ["Fox"],
  );
  assert.deepEqual(seen.price, { usd: 1.5, amount: 225, currency: "JPY", date: "2026-11-01", rarity: "" });
  assert.equal(seen.confident, false);
  assert.deepEqual(seen.quad[2], [1, 1]);
});

test("a server that only detects: the query is the name, the box the quad", () => {
  const {
    sightings: [seen],
  } = readAnswer({ masks: [{ bbox_norm: box, area_fraction: 0.04 }] }, "blue mug");
  assert.equal(seen.item.name, "blue mug");
  assert.equal(seen.confident, null);
  assert.equal(seen.score, null);
  assert.deepEqual(seen.quad[0], [0.1, 0.2]);
});

test("invalid masks are left out, and anything that is not an answer is refused", () => {
  const masks = [
    null,
    {},
    { bbox_norm: { x1: 1, y1: 0, x2: 0, y2: 1 } },
    { bbox_norm: { x1: "0", y1: 0, x2: 1, y2: 1 } },
  ];
  assert.deepEqual(readAnswer({ masks }, "card").sightings, []);
  for (const invalid of [null, [], {}, { masks: {} }]) assert.throws(() => readAnswer(invalid, "card"), /masks/);
});

test("a picture of another site is not requested", () => {
  for (const ref_url of ["https://elsewhere.example/x.jpg", "//elsewhere.example/x.jpg", "/\\elsewhere.example"]) {
    const {
      sightings: [seen],
    } = readAnswer({ masks: [{ bbox_norm: box, ref_url }] }, "card");
    assert.equal(seen.item.refUrl, "");
  }
});

test("near-duplicate references are one item, whichever comes first", () => {
  const mask = (/** @type {string[]} */ variants) => ({
    bbox_norm: box,
    name: "Owl",
    ref_filename: variants[0],
    variants,
  });
  const {
    sightings: [one, other],
  } = readAnswer({ masks: [mask(["owl_ur.jpg", "owl_sr.jpg"]), mask(["owl_sr.jpg", "owl_ur.jpg"])] }, "card");
  assert.equal(one.item.key, other.item.key);
  assert.deepEqual(one.twins, ["owl_sr.jpg"]);
  assert.deepEqual(other.twins, ["owl_ur.jpg"]);
});

test("a server that keeps tracks gives each mask a lasting number", () => {
  const masks = [
    { bbox_norm: box, track_id: 7, lost_seconds: 0.25 },
    { bbox_norm: box, track_id: 9 },
  ];
  const said = readAnswer({ masks, session: "abc", frame: 3 }, "card");
  assert.equal(said.isTracked, true);
  assert.deepEqual(
    said.sightings.map(({ trackId, lost }) => [trackId, lost]),
    [
      [7, 250],
      [9, 0],
    ],
  );
  assert.equal(readAnswer({ masks: [], session: "abc" }, "card").isTracked, true);
  assert.equal(readAnswer({ masks }, "card").isTracked, false);
  assert.equal(readAnswer({ masks: [{ bbox_norm: box }], session: "abc" }, "card").isTracked, false);
});

const quad_norm = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

test("a guess is no sighting, and its items have different names, three at most", () => {
  const near = ["Owl", "owl", "Fox", "Elk", "Bat"].map((name, i) => ({
    name,
    filename: `a b/${name}${i}.jpg`,
    score: 1,
  }));
  const top_k = [{ name: "" }, null, { ...near[0], set_code: "AB-1", rarity: "UR" }, ...near.slice(1)];
  const masks = [{ bbox_norm: box, name: "Owl", quad_norm, top_k, guess: true }];
  const { sightings, guess, isTracked } = readAnswer({ masks, session: "s" }, "card");
  assert.deepEqual(sightings, []);
  assert.equal(isTracked, true);
  assert.ok(guess);
  assert.deepEqual(guess.quad, quad_norm);
  assert.deepEqual(
    guess.items.map(({ name }) => name),
    ["Owl", "Fox", "Elk"],
  );
  assert.deepEqual(guess.items[0], {
    key: "a b/Owl0.jpg",
    name: "Owl",
    rarity: "UR",
    setCode: "AB-1",
    refUrl: "/refs/a%20b/Owl0.jpg",
    refFilename: "a b/Owl0.jpg",
  });
});

test("a guess of nothing is none, and only true is a guess", () => {
  const nothing = { bbox_norm: box, quad_norm, guess: true };
  for (const top_k of [undefined, [], [{ name: "Owl" }]]) {
    assert.equal(readAnswer({ masks: [{ ...nothing, top_k }] }, "card").guess, null);
  }
  const { guess, sightings } = readAnswer({ masks: [{ ...nothing, guess: "yes", name: "Owl" }] }, "card");
  assert.equal(guess, null);
  assert.equal(sightings.length, 1);
});

test("a further view stands for the first: its key, its picture, and its near-duplicates", () => {
  const mask = { bbox_norm: box, name: "Owl", ref_filename: "owl__2.jpg", ref_url: "/refs/owl__2.jpg" };
  const alone = readAnswer({ masks: [{ ...mask, variants: ["owl__2.jpg"], first_view: "x/owl.jpg" }] }, "");
  const [{ item, twins }] = alone.sightings;
  assert.deepEqual([item.key, item.refFilename, item.refUrl], ["x/owl.jpg", "x/owl.jpg", "/refs/x/owl.jpg"]);
  assert.deepEqual(twins, []);

  const variants = ["owl__2.jpg", "fox.jpg"];
  const [among] = readAnswer({ masks: [{ ...mask, variants, first_view: "owl.jpg" }] }, "").sightings;
  const first = { ...mask, ref_filename: "owl.jpg", ref_url: "/refs/owl.jpg", variants: ["owl.jpg", "fox.jpg"] };
  const [other] = readAnswer({ masks: [first] }, "").sightings;
  assert.deepEqual([among.item, among.twins], [other.item, other.twins]);
});
