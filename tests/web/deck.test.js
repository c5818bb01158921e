import assert from "node:assert/strict";
import test from "node:test";

import { Deck, MOST_COPIES } from "../../src/data_label_factory/web/js/deck.js";
import { fromCsv, fromJson, toCsv, toJson, toText } from "../../src/data_label_factory/web/js/deckfile.js";

/** @param {string} name @param {number | null} usd */
function entry(name, usd) {
  const item = {
    key: `${name}.jpg`,
    name,
    rarity: "UR",
    setCode: "AB-001",
    refUrl: `/refs/${encodeURIComponent(name)}.jpg`,
    refFilename: `${name}.jpg`,
  };
  const price = usd === null ? null : { usd, amount: usd * 150, currency: "JPY", date: "2026-11-01", rarity: "" };
  return { item, price };
}

/** @param {[string, number | null][]} cards */
function deckOf(...cards) {
  const deck = new Deck();
  for (const [name, usd] of cards) {
    const { item, price } = entry(name, usd);
    deck.add(item, price);
  }
  return deck;
}

test("adding counts copies, totals are to the cent, and no price is not zero", () => {
  const deck = deckOf(["Owl", 0.1], ["Owl", 0.1], ["Owl", 0.1], ["Fox", 12.34], ["Elk", null]);
  assert.deepEqual(deck.totals, { copies: 5, priced: 4, cents: 1264 });
  assert.equal(deck.count("Owl.jpg"), 3);
  assert.equal(deck.count("Bat.jpg"), 0);
});

test("a newer price replaces the older one; no price does not", () => {
  const deck = deckOf(["Owl", 1], ["Owl", 2], ["Owl", null]);
  assert.deepEqual(deck.totals, { copies: 3, priced: 3, cents: 600 });
});

test("counts can be set, and zero removes the item", () => {
  const deck = deckOf(["Owl", 1], ["Fox", 2]);
  deck.setCount("Owl.jpg", 1e9);
  assert.equal(deck.count("Owl.jpg"), MOST_COPIES);
  deck.setCount("Owl.jpg", -3);
  assert.deepEqual(
    deck.entries.map(({ name }) => name),
    ["Fox"],
  );
});

test("an earlier state can be restored", () => {
  const deck = deckOf(["Owl", 1]);
  const before = deck.entries;
  deck.setCount("Owl.jpg", 5);
  deck.clear();
  assert.deepEqual(new Deck(before).totals, { copies: 1, priced: 1, cents: 100 });
});

const ODD = 'Pharaoh\'s "Servant", the\nElder';

test("JSON and CSV survive a round trip", () => {
  const deck = deckOf(["Owl", 1.5], [ODD, 2], ["=1+1", 0.01], ["石", null], ["石", null], ["b/c d", 3]);
  assert.deepEqual(fromJson(toJson(deck.entries)), deck.entries);
  const back = fromCsv(toCsv(deck.entries));
  assert.deepEqual(
    back.map(({ name, count, cents, amount, date }) => [name, count, cents, amount, date]),
    deck.entries.map(({ name, count, cents, amount, date }) => [name, count, cents, amount, date]),
  );
  assert.deepEqual(
    back.map(({ key }) => key),
    deck.entries.map(({ key }) => key),
  );
});

test("a spreadsheet finds no formula in the CSV", () => {
  assert.match(toCsv(deckOf(["=HYPERLINK(1)", 1]).entries), /,?'=HYPERLINK/);
});

test("CSV of Excel, with BOM and plain line ends, and with few columns", () => {
  const entries = fromCsv("\uFEFFname,count,usd_each\nOwl,2,1.50\n\nFox,1,\n");
  assert.deepEqual(
    entries.map(({ name, count, cents }) => [name, count, cents]),
    [
      ["Owl", 2, 150],
      ["Fox", 1, null],
    ],
  );
});

test("anything that is not a deck is refused with a reason", () => {
  assert.throws(() => fromJson('{"entries": [{"na'), /JSON/);
  assert.throws(() => fromJson("[]"), /not a deck/);
  assert.throws(() => fromJson('{"version": 99, "entries": []}'), /newer/);
  assert.throws(() => fromCsv("a,b\n1,2\n"), /columns/);
  assert.throws(() => fromCsv(""), /columns/);
});

test("entries of any file are validated, and no picture is requested from another site", () => {
  const entries = fromJson(
    JSON.stringify({
      version: 1,
      entries: [
        null,
        7,
        { name: "No count" },
        { count: 2 },
        { name: "Bad", count: "x" },
        { name: "Owl", count: "3", cents: "free", refUrl: "//elsewhere.example/x.jpg" },
        { name: "Owl", count: 1.9, refUrl: "/refs/Owl.jpg" },
      ],
    }),
  );
  assert.deepEqual(
    entries.map(({ name, count, cents, refUrl }) => [name, count, cents, refUrl]),
    [["Owl", 4, null, "/refs/Owl.jpg"]],
  );
});

test("merging adds copies up", () => {
  const deck = deckOf(["Owl", 1], ["Fox", 1]);
  deck.merge(deckOf(["Owl", 1], ["Elk", 1]).entries);
  assert.deepEqual(
    deck.entries.map(({ name, count }) => `${name} ${count}`),
    ["Owl 2", "Fox 1", "Elk 1"],
  );
});

test("the text can be pasted", () => {
  assert.equal(toText(deckOf(["Owl", 1.5], ["Owl", 1.5])), "2× Owl (UR) [AB-001]\n\nTotal $3.00");
});
