import assert from "node:assert/strict";
import test from "node:test";

import { NameVote } from "../../src/data_label_factory/web/js/voting.js";
import { sighting } from "./sighting.js";

/** @param {[string, boolean | null][]} readings */
function vote(readings) {
  const votes = new NameVote();
  for (const [name, confident] of readings) votes.add(sighting(name, 0, { confident }));
  return votes;
}

test("the first reading names it at once", () => {
  assert.equal(vote([["Owl", true]]).reading.item.name, "Owl");
  assert.equal(vote([["Owl", true]]).sure, true);
  assert.equal(vote([["Owl", false]]).sure, false);
});

test("a single odd answer changes nothing, even a confident one", () => {
  const votes = vote([
    ["Owl", true],
    ["Owl", true],
    ["Owl", true],
    ["Fox", true],
  ]);
  assert.equal(votes.reading.item.name, "Owl");
  assert.equal(votes.sure, true);
});

test("two names that alternate do not flicker", () => {
  const votes = vote([
    ["Owl", true],
    ["Owl", true],
  ]);
  const seen = new Set();
  for (let i = 0; i < 20; i++) {
    votes.add(sighting(i % 2 ? "Owl" : "Fox", 0));
    seen.add(votes.reading.item.name);
  }
  assert.equal(seen.size, 1);
});

test("a lasting change is adopted, even after a long time", () => {
  const votes = vote(Array.from({ length: 500 }, () => ["Owl", true]));
  let answers = 0;
  while (votes.reading.item.name === "Owl" && answers < 50) {
    votes.add(sighting("Fox", 0));
    answers++;
  }
  assert.ok(answers >= 2 && answers <= 6, `${answers}`);
});

test("doubtful readings do not soon outvote a confident one, but confidence fades with them", () => {
  const votes = vote([
    ["Owl", true],
    ["Fox", false],
  ]);
  assert.equal(votes.reading.item.name, "Owl");
  for (let i = 0; i < 10; i++) votes.add(sighting("Owl", 0, { confident: false }));
  assert.equal(votes.sure, false);
});

test("the newest reading of the current name is shown", () => {
  const votes = vote([["Owl", true]]);
  votes.add({ ...sighting("Owl", 0), score: 0.42 });
  assert.equal(votes.reading.score, 0.42);
});

test("without ratings from the server, confidence stays unknown", () => {
  assert.equal(vote([["card", null]]).sure, null);
});
