import assert from "node:assert/strict";
import test from "node:test";

import { Deck, MOST_COPIES } from "../../src/data_label_factory/web/js/deck.js";
import { fromCsv, fromJson, toCsv, toJson, toText } from "../../src/data_label_factory/web/js/deckfile.js";
import { arrange, ORDERS } from "../../src/data_label_factory/web/js/deckorder.js";
import { formatSum } from "../../src/data_label_factory/web/js/money.js";

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
  assert.deepEqual(deck.totals, { copies: 5, priced: 4, cents: 1264, others: new Map() });
  assert.equal(deck.count("Owl.jpg"), 3);
  assert.equal(deck.count("Bat.jpg"), 0);
});

test("a newer price replaces the older one; no price does not", () => {
  const deck = deckOf(["Owl", 1], ["Owl", 2], ["Owl", null]);
  assert.deepEqual(deck.totals, { copies: 3, priced: 3, cents: 600, others: new Map() });
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
  assert.deepEqual(new Deck(before).totals, { copies: 1, priced: 1, cents: 100, others: new Map() });
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

test("what has no rate to USD is added up in its own currency", () => {
  const deck = deckOf(["Owl", 1], ["Elk", null]);
  const euros = { usd: null, amount: 2.35, currency: "EUR", date: "", rarity: "" };
  const yen = { ...euros, amount: 1980, currency: "JPY" };
  for (const [name, price] of /** @type {const} */ ([
    ["Fox", euros],
    ["Fox", euros],
    ["Bat", yen],
    ["Odd", { ...euros, currency: "" }],
  ])) {
    deck.add(entry(name, null).item, price);
  }
  const { copies, priced, cents, others } = deck.totals;
  assert.deepEqual([copies, priced, cents], [6, 4, 100]);
  assert.equal(formatSum(cents, others), "$1.00 + €4.70 + ¥1,980");
  assert.equal(formatSum(0, others), "€4.70 + ¥1,980");
  assert.equal(formatSum(0, new Map()), "$0.00");
});

test("what is added is the newest entry, also if it is there already", () => {
  const deck = deckOf(["Owl", 1], ["Fox", 1], ["Elk", 1], ["Owl", 1]);
  assert.equal(deck.entries.map(({ name }) => name).join(), "Fox,Elk,Owl");
  assert.equal(deck.count("Owl.jpg"), 2);
});

test("the deck is shown the newest first, sorted, and searched", () => {
  const { entries } = deckOf(["Owl 10", 2], ["fox", null], ["Owl 9", 30], ["Élan", 0.5]);
  const shown = (/** @type {string} */ words, /** @type {string} */ order) =>
    arrange(entries, words, order)
      .map(({ name }) => name)
      .join();
  assert.equal(shown("", ORDERS[0].id), "Élan,Owl 9,fox,Owl 10");
  assert.equal(shown("", "name"), "Élan,fox,Owl 9,Owl 10");
  assert.equal(shown("", "price"), "Owl 9,Owl 10,Élan,fox");
  assert.equal(shown(" OWL  ab-001 ", "name"), "Owl 9,Owl 10");
  assert.equal(shown("owl nosuch", "name"), "");
  assert.equal(shown("", "no such order"), shown("", "newest"));
  for (const { id } of ORDERS) assert.equal(arrange(entries, "", id).length, 4, id);
  assert.equal(entries[0].name, "Owl 10", "the deck itself stays as it is");
});

test("the text is what other tools read: a count and a name on each line", () => {
  const deck = deckOf(["Owl", 1.5], ["Owl", 1.5], ["Fox  Cub\n", 2]);
  deck.add({ ...entry("OWL", 1).item, key: "owl_sr.jpg", rarity: "SR" }, null);
  assert.equal(toText(deck), "3 Owl\n1 Fox Cub\n");
});
