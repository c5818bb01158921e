import assert from "node:assert/strict";
import test from "node:test";

import { ScanRules } from "../../src/data_label_factory/web/js/scanrules.js";
import { sighting } from "./sighting.js";

/** @typedef {import("../../src/data_label_factory/web/js/tracker.js").Track} Track */
/** @typedef {import("../../src/data_label_factory/web/js/scanrules.js").Action} Action */

const GAP = 100; // ms between two answers

/** @param {number} id @param {string} name @param {number} [x] @param {{sure?: boolean | null, justSeen?: boolean}} [more] @returns {Track} */
function track(id, name, x = 0.4, { sure = true, justSeen = false } = {}) {
  const reading = sighting(name.replace("?", ""), x);
  return { id, quad: reading.quad, reading, sure: name.endsWith("?") || justSeen ? false : sure, justSeen, seenAt: 0 };
}

/** What a page makes of the actions: rows, and what is asked about. */
class Ledger {
  rules = new ScanRules();
  now = 0;
  /** @type {[number, string][]} */
  rows = [];
  /** @type {Map<number, string>} */
  asked = new Map();
  emptied = 0;

  /** Answers with these tracks for so long. @param {number} ms @param {...Track} tracks */
  show(ms, ...tracks) {
    for (let t = 0; t < ms; t += GAP) this.#do(this.rules.see(tracks, (this.now += GAP)));
    return this.told;
  }

  /** No answer comes. @param {number} ms */
  wait(ms) {
    this.now += ms;
  }

  press() {
    this.#do(this.rules.take(this.now));
    return this.told;
  }

  /** "Owl Fox | Elk?": the rows, and behind them what is asked about. */
  get told() {
    const asked = [...this.asked.values()].map((name) => `${name}?`);
    return [...this.rows.map(([, name]) => name), ...(asked.length ? ["|", ...asked] : [])].join(" ");
  }

  /** @param {Action[]} actions */
  #do(actions) {
    for (const { kind, no, track, review } of actions) {
      this.asked.delete(review);
      const name = track?.reading.item.name ?? "";
      if (kind === "take") this.rows.push([no, name]);
      if (kind === "review") this.asked.set(no, name);
      if (kind === "empty") this.emptied += 1;
      if (kind === "rename") this.rows = this.rows.map(([of, was]) => [of, of === no ? name : was]);
    }
  }
}

test("a thing that is sure and steady is taken once, however long it stays", () => {
  const ledger = new Ledger();
  assert.equal(ledger.show(200, track(1, "Owl")), "");
  assert.equal(ledger.show(200, track(1, "Owl")), "Owl");
  assert.equal(ledger.show(20_000, track(1, "Owl")), "Owl");
});

test("a thing that only passes is not taken", () => {
  const ledger = new Ledger();
  for (let x = 0; x < 0.8; x += 0.12) ledger.show(100, track(1, "Owl", x));
  assert.equal(ledger.told, "");
  assert.equal(ledger.show(400, track(1, "Owl", 0.8)), "Owl");
});

test("a stack at a second a card: each is one row, and one that comes again is another", () => {
  const ledger = new Ledger();
  const names = ["Owl", "Fox", "Owl", "Elk", "Fox", "Owl"];
  names.forEach((name, i) => ledger.show(1000, track(i + 1, name)));
  assert.equal(ledger.told, names.join(" "));
});

test("ids that a tracker gives again do not hide a card that comes again", () => {
  const ledger = new Ledger();
  for (const name of ["Owl", "Fox", "Owl"]) ledger.show(1000, track(name === "Owl" ? 1 : 2, name));
  assert.equal(ledger.told, "Owl Fox Owl");
});

test("a name that flickers for a moment makes no row, and none twice", () => {
  const ledger = new Ledger();
  ledger.show(500, track(1, "Owl"));
  for (let i = 0; i < 5; i++) {
    ledger.show(100, track(2 + i, "Fox"));
    ledger.show(400, track(1, "Owl"));
  }
  assert.equal(ledger.told, "Owl");
});

test("a sureness that flickers neither doubles nor loses", () => {
  const ledger = new Ledger();
  for (let i = 0; i < 10; i++) {
    ledger.show(400, track(1, "Owl"));
    ledger.show(200, track(1, "Owl?"));
    ledger.show(200, track(1, "Owl", 0.4, { justSeen: true }));
  }
  assert.equal(ledger.told, "Owl");
});

test("lifted and put back, in its place or elsewhere, under its track or another, is the same thing", () => {
  for (const back of [track(1, "Owl"), track(2, "Owl"), track(2, "Owl", 0.1)]) {
    const ledger = new Ledger();
    ledger.show(500, track(1, "Owl"));
    ledger.show(1000);
    assert.equal(ledger.show(2000, back), "Owl");
  }
});

test("one that left and came again is another copy", () => {
  for (const again of [track(1, "Owl"), track(2, "Owl")]) {
    const ledger = new Ledger();
    ledger.show(500, track(1, "Owl"));
    ledger.show(1800);
    assert.equal(ledger.show(500, again), "Owl Owl");
  }
});

test("two copies side by side are two, and stay two while they change places", () => {
  const ledger = new Ledger();
  ledger.show(1000, track(1, "Owl", 0.1));
  assert.equal(ledger.show(1000, track(1, "Owl", 0.1), track(2, "Owl", 0.6)), "Owl Owl");
  ledger.show(500, track(2, "Owl", 0.6));
  ledger.show(500, track(1, "Owl", 0.1), track(2, "Owl", 0.6));
  ledger.show(500, track(2, "Owl", 0.1), track(1, "Owl", 0.6));
  assert.equal(ledger.told, "Owl Owl");
});

test("two copies that come together are two", () => {
  assert.equal(new Ledger().show(1000, track(1, "Owl", 0.1), track(2, "Owl", 0.6)), "Owl Owl");
});

test("a thing seen twice, in its place or for as long as it moves, is one", () => {
  const ledger = new Ledger();
  ledger.show(500, track(1, "Owl", 0.2));
  ledger.show(2000, track(1, "Owl", 0.2), track(2, "Owl", 0.25));
  ledger.show(400, track(1, "Owl", 0.2), track(3, "Owl", 0.6));
  assert.equal(ledger.show(1000, track(3, "Owl", 0.6)), "Owl");
});

test("a name that is corrected shortly after changes its row", () => {
  const ledger = new Ledger();
  assert.equal(ledger.show(500, track(1, "Owl")), "Owl");
  assert.equal(ledger.show(200, track(1, "Fox")), "Owl");
  assert.equal(ledger.show(200, track(1, "Fox")), "Fox");
  assert.equal(ledger.show(3000, track(1, "Fox")), "Fox");
});

test("a track that has another name long after is another thing", () => {
  const ledger = new Ledger();
  ledger.show(12_000, track(1, "Owl"));
  assert.equal(ledger.show(1000, track(1, "Fox")), "Owl Fox");
});

test("what stays unsure is asked about once", () => {
  const ledger = new Ledger();
  assert.equal(ledger.show(500, track(1, "Owl?")), "");
  assert.equal(ledger.show(5000, track(1, "Owl?")), "| Owl?");
});

test("unsure names that change are one thing", () => {
  const ledger = new Ledger();
  for (let i = 0; i < 3; i++) ledger.show(300, track(i + 1, i % 2 ? "Fox?" : "Owl?"));
  assert.equal(ledger.told, "| Owl?");
  assert.equal(ledger.show(1000, track(3, "Owl?")), "| Owl?");
});

test("unsure ones of a stack are asked about one by one, and part two copies of what lies around them", () => {
  const ledger = new Ledger();
  const names = ["Owl", "Elk?", "Fox?", "Owl", "Elk?"];
  names.forEach((name, i) => ledger.show(1000, track(i + 1, name)));
  assert.equal(ledger.told, "Owl Owl | Elk? Fox? Elk?");
});

test("one unsure card between two equal ones parts them", () => {
  const ledger = new Ledger();
  ["Owl", "Elk?", "Owl"].forEach((name, i) => ledger.show(1000, track(i + 1, name)));
  assert.equal(ledger.told, "Owl Owl | Elk?");
});

test("what was asked about and becomes sure is taken, and not asked about any more", () => {
  const ledger = new Ledger();
  assert.equal(ledger.show(1000, track(1, "Owl?")), "| Owl?");
  assert.equal(ledger.show(500, track(1, "Owl")), "Owl");
  const renewed = new Ledger();
  renewed.show(1000, track(1, "Owl?"));
  assert.equal(renewed.show(500, track(2, "Owl")), "Owl");
});

test("what becomes sure by another name under its track is taken so", () => {
  const ledger = new Ledger();
  ledger.show(1000, track(1, "Owl?"));
  assert.equal(ledger.show(500, track(1, "Fox")), "Fox");
});

test("a taken thing that comes back unsure may be another: it is asked about until it is sure", () => {
  const ledger = new Ledger();
  ledger.show(500, track(1, "Owl"));
  ledger.show(300);
  assert.equal(ledger.show(700, track(2, "Owl?")), "Owl | Owl?");
  assert.equal(ledger.show(2000, track(2, "Owl")), "Owl");
});

test("a taken thing that moved, was unsure there and is sure again is one, and not asked about", () => {
  const ledger = new Ledger();
  ledger.show(500, track(1, "Owl", 0.1));
  assert.equal(ledger.show(800, track(2, "Owl?", 0.6)), "Owl | Owl?");
  assert.equal(ledger.show(2000, track(2, "Owl", 0.6)), "Owl");
});

test("what the user has settled is neither asked about nor taken, until it has left", () => {
  const ledger = new Ledger();
  ledger.show(1000, track(1, "Owl?"));
  ledger.rules.settle(1);
  assert.equal(ledger.show(2000, track(1, "Owl")), "| Owl?");
  ledger.show(2000);
  assert.equal(ledger.show(500, track(2, "Owl")), "Owl | Owl?");
});

test("answers that never came do not say that a thing has left", () => {
  const ledger = new Ledger();
  ledger.show(500, track(1, "Owl"));
  ledger.wait(30_000);
  ledger.show(100);
  ledger.wait(10_000);
  assert.equal(ledger.show(1000, track(1, "Owl")), "Owl");
});

test("Space takes what is unsure, and one more of what was taken", () => {
  const ledger = new Ledger();
  ledger.show(300, track(1, "Owl?"));
  assert.equal(ledger.press(), "Owl");
  assert.equal(ledger.press(), "Owl Owl");
  assert.equal(ledger.show(2000, track(1, "Owl")), "Owl Owl");
  ledger.show(2000);
  assert.equal(ledger.press(), "Owl Owl");
});

test("an empty picture is told once after something was taken", () => {
  const ledger = new Ledger();
  ledger.show(5000);
  ledger.show(500, track(1, "Owl"));
  ledger.show(1900);
  assert.equal(ledger.emptied, 0);
  ledger.show(5000);
  assert.equal(ledger.emptied, 1);
});

test("a server that does not say how sure it is counts things", () => {
  const unrated = [0.1, 0.6].map((x, i) => track(i + 1, "part", x, { sure: null }));
  assert.equal(new Ledger().show(1000, ...unrated), "part part");
});
