import assert from "node:assert/strict";
import test from "node:test";

import { Deck } from "../../src/data_label_factory/web/js/deck.js";
import { fromJson, readDeck, toCsv, toJson, toText } from "../../src/data_label_factory/web/js/deckfile.js";
import { foldName } from "../../src/data_label_factory/web/js/names.js";
import { priceCell, PriceColumn } from "../../src/data_label_factory/web/js/pricecell.js";
import { decodeText } from "../../src/data_label_factory/web/js/table.js";

/** @import {Entry} from "../../src/data_label_factory/web/js/deck.js" */
/** @import {LeftOut} from "../../src/data_label_factory/web/js/table.js" */

/** @param {string} text */
function read(text) {
  /** @type {LeftOut[]} */
  const leftOut = [];
  const entries = readDeck(text, leftOut);
  return {
    cards: entries.map(({ count, name, setCode, rarity }) => [count, name, setCode, rarity].join("|")),
    cents: entries.map(({ cents }) => cents),
    told: leftOut.map(({ where, reason, isRow }) => `${where}: ${reason}${isRow ? "" : " *"}`),
    entries,
  };
}

/** @param {Partial<Entry>} facts @returns {Entry} */
function entry(facts) {
  const name = facts.name ?? "Owl";
  const plain = { key: name, name, rarity: "", setCode: "", refUrl: "", refFilename: "", count: 1 };
  return { ...plain, cents: null, amount: null, currency: "", date: "", ...facts };
}

test("counts are read as people write them, and a row without one is named with its line", () => {
  const rows = [
    "2x,A",
    "x3,B",
    '"1,200",C',
    "4×,D",
    "2.0,E",
    "three,F",
    ",G",
    "0,H",
    "-1,I",
    "1.5,J",
    "5,",
    ",,",
    "7,K",
  ];
  const { cards, told } = read(`Count,Name,Rarity\n${rows.join("\n")}\n`);
  assert.deepEqual(cards, ["2|A||", "3|B||", "1200|C||", "4|D||", "2|E||", "7|K||"]);
  assert.deepEqual(told, [
    "line 7: count ‘three’ is not a whole number",
    "line 8: no count",
    "line 9: count ‘0’ is less than one",
    "line 10: count ‘-1’ is not a whole number",
    "line 11: count ‘1.5’ is not a whole number",
    "line 12: no name",
  ]);
});

test("every dialect of a spreadsheet gives the same cards", () => {
  const cells = [
    ["Count", "Name", "Price (EUR)"],
    ["2", "Owl, the; wise | one", "12.50 €"],
    ["1", 'Fox "Red"', ""],
  ];
  for (const delimiter of [",", ";", "\t", "|"])
    for (const end of ["\n", "\r\n", "\r"])
      for (const start of ["", "\uFEFF", `sep=${delimiter}${end}`]) {
        const quoted = cells.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(delimiter));
        const { cards, entries, told } = read(start + quoted.join(end) + end);
        assert.deepEqual(
          [cards, told],
          [["2|Owl, the; wise | one||", '1|Fox "Red"||'], []],
          JSON.stringify([delimiter, end, start]),
        );
        assert.deepEqual([entries[0].amount, entries[0].currency, entries[0].cents], [12.5, "EUR", null]);
      }
});

test("headers of other programs, in any case and padding", () => {
  for (const header of ["count,name", " QTY , Card Name ", "Quantity,Title", "quantity;NAME", "Card_Name\tCopies"]) {
    const delimiter = /[,;\t]/.exec(header)?.[0] ?? ",";
    const row = /^\W*card/i.test(header) ? ["Owl", "3"] : ["3", "Owl"];
    assert.deepEqual(read(`${header}\n${row.join(delimiter)}`).cards, ["3|Owl||"], header);
  }
  const moxfield = 'Count,Tradelist Count,Name,Edition,Condition,Collector Number\n"4","0","Opt","dom","NM","60"\n';
  assert.deepEqual(read(moxfield).cards, ["4|Opt|DOM-60|"]);
});

test("what was left out stands in the order of the lines", () => {
  const rows = ["x,A,1", "1,B,about 5", ",C,1", ...Array(8).fill("1,D,2"), "y,E,1"];
  const { told } = read(`Count,Name,usd_each\n${rows.join("\n")}\n`);
  assert.deepEqual(
    told.map((text) => text.split(":")[0]),
    ["line 2", "line 3", "line 4", "line 13"],
  );
});

test("lines are counted through quoted line breaks, and a row that is not whole is left out alone", () => {
  const text = 'count,name\n1,"two\nlines"\nx,Bad\n2,"open\n3,Fox\n1,a,b\n';
  assert.deepEqual(read(text).cards, ["1|two\nlines||", "3|Fox||"]);
  assert.deepEqual(read(text).told, [
    "line 4: count ‘x’ is not a whole number",
    'line 5: a "quote" does not end, or goes on after its end',
    'line 7: more cells than columns: put "quotes" around a cell with a comma',
  ]);
});

test("prices are whole cells, or left out and said", () => {
  const { cents, told } = read(
    'count,name,usd_each\n1,A,$12.50\n1,B,"12,50"\n1,C,0.125\n1,D,free\n1,E,-5\n1,F,2-3\n1,G,12.50 €\n1,H,US$ 3\n1,I,-\n',
  );
  assert.deepEqual(cents, [1250, 1250, 13, null, null, null, null, 300, null]);
  assert.deepEqual(told, [
    "line 5: price ‘free’ is not a number: taken in without it *",
    "line 6: price ‘-5’ is not a number: taken in without it *",
    "line 7: price ‘2-3’ is not a number: taken in without it *",
    "line 8: price ‘12.50 €’ is not in USD: taken in without it *",
  ]);
  assert.deepEqual(read("Qty;Name;Price\n1;A;1.234,50\n1;B;1,980\n").cents, [123450, 198]);
  assert.deepEqual(read('Qty,Name,Price\n1,A,"1,980"\n').cents, [null]);
  assert.match(read('Qty,Name,Price\n1,A,"1,980"\n').told[0], /may mean 1980 or 1\.98/);
  assert.deepEqual(read("Qty,Name,Price\n1,A,0\n").cents, [null]);
});

test("the rule for money in a table", () => {
  const clear = {
    "１，９８０．５": 1980.5,
    "1 226,50": 1226.5,
    "1'226.50": 1226.5,
    "1,234,567": 1234567,
    "1,00,000": 100000,
    "1,234.567": 1234.567,
    "0,125": 0.125,
    ".50": 0.5,
    1234.567: 1234.567,
    "5,-": 5,
    "€5": 5,
  };
  for (const [cell, amount] of Object.entries(clear))
    assert.equal(new PriceColumn([], false).read(cell, "")?.amount, amount, cell);
  for (const cell of [
    "(5)",
    "1/2",
    "ca. 5",
    "5 each",
    "5.",
    "1,2,3",
    "0,123,456",
    "½",
    "1.226",
    "5 kr",
    "1e3",
    "1000000000000",
  ])
    assert.throws(() => new PriceColumn([], false).read(cell, ""), undefined, cell);
  assert.equal(new PriceColumn(["12,50"], false).read("1,226", "")?.amount, 1.226);
  assert.equal(new PriceColumn(["12,50"], false).read("1.226", "")?.amount, 1226);
  assert.throws(() => new PriceColumn(["12,50", "12.50"], true).read("1.226", ""), /may mean/);
  assert.equal(new PriceColumn([], false).read("¥1,980", "")?.amount, 1980);
  assert.equal(new PriceColumn([], false).read("5 kr", "SEK")?.currency, "SEK");
  for (const amount of [1.125, 12.34, 0.125, 1980, 999.999, 1234.567])
    assert.equal(new PriceColumn(["1,5"], true).read(priceCell(amount), "")?.amount, amount);
});

test("a newer price is never replaced by an older, an undated or an absent one", () => {
  const now = entry({ cents: 900, amount: 9, currency: "USD", date: "2026-11-25" });
  const others = [
    entry({ cents: 100, date: "2024-01-01" }),
    entry({ cents: 100 }),
    entry({}),
    entry({ amount: 5, currency: "XYZ", date: "2027-01-01" }),
  ];
  for (const other of others) {
    const deck = new Deck([now]);
    deck.merge([other]);
    assert.deepEqual(deck.entries, [{ ...now, count: 2 }]);
  }
  const deck = new Deck([others[0]]);
  deck.merge([now]);
  assert.deepEqual(deck.totals, { copies: 2, priced: 2, cents: 1800, others: new Map() });
  deck.add(now, { usd: null, amount: 4, currency: "EUR", date: "2026-12-01", rarity: "" });
  assert.deepEqual(deck.totals, { copies: 3, priced: 3, cents: 2700, others: new Map() });
});

test("two rows of one card in one file keep the newer price, too", () => {
  const { entries } = read("count,name,usd_each,price_date\n1,Owl,9.00,2026-11-25\n2,Owl,1.00,2024-01-01\n1,Owl,,\n");
  assert.deepEqual(
    entries.map(({ count, cents }) => [count, cents]),
    [[4, 900]],
  );
});

test("a row without a reference file joins the entry of the same card", () => {
  const facts = { key: "o.jpg", refFilename: "o.jpg", name: "Baker's  Owl", rarity: "UR", setCode: "AB-001" };
  for (const row of [
    "Baker’s owl,UR,AB-001",
    "BAKER'S OWL,,",
    "baker`s owl,ur,",
    "Baker's Owl,,ab-001",
    "Baker's Owl,Ultra Rare,AB-001",
    "Baker's Owl,,AB",
  ]) {
    const deck = new Deck([entry(facts)]);
    deck.merge(read(`count,name,rarity,set_code\n2,${row}\n`).entries);
    assert.deepEqual(deck.entries, [entry({ ...facts, count: 3 })], row);
  }
  for (const row of ["Baker's Owl,Secret Rare,AB-001", "Baker's Owl,UR,AB-002", "Bakers Owl,UR,AB-001"]) {
    const deck = new Deck([entry(facts)]);
    deck.merge(read(`count,name,rarity,set_code\n2,${row}\n`).entries);
    assert.equal(deck.entries.length, 2, row);
  }
  const two = new Deck([entry(facts), entry({ ...facts, key: "p.jpg", refFilename: "p.jpg", setCode: "AB-002" })]);
  two.merge(read("count,name\n1,Baker's Owl\n").entries);
  assert.equal(two.entries.length, 3);

  const imported = new Deck(read("count,name\n2,Owl\n").entries);
  imported.add(entry({ key: "owl.jpg", refFilename: "owl.jpg" }), null);
  assert.deepEqual([imported.count("owl.jpg"), imported.entries.length], [3, 1]);
});

test("names are folded as the server folds them", () => {
  for (const other of ["BAKER’S CAFE\u0301 – STRASSE", " baker`s  café\u00A0— Straße"])
    assert.equal(foldName(other), foldName("Baker's Café - Straße"));
  assert.notEqual(foldName("Owl"), foldName("Owls"));
});

test("deck lists as plain text are taken in", () => {
  const text =
    "Deck\n4x Opt (DOM) 60\n2 Fire // Ice\n\n// traps\nSideboard (15)\nSB: 1 Negate *F*\nx3 Owl\n1 Comfey LOR 79\n" +
    "2 39 Steps [39S]\nthree Foxes\n1x Plains (fem) 1 [Land] ^Have,#37d67a^\nTotal $3.00\n";
  const { cards, told } = read(text);
  assert.deepEqual(cards, [
    "4|Opt|DOM-60|",
    "2|Fire // Ice||",
    "1|Negate||",
    "3|Owl||",
    "1|Comfey|LOR-79|",
    "2|39 Steps|39S|",
    "1|Plains|FEM-1|",
  ]);
  assert.deepEqual(told, ["line 11: ‘three Foxes’ does not begin with a count"]);
  const deck = new Deck([entry({ rarity: "UR", setCode: "AB-001", count: 2, cents: 150 }), entry({ name: "Fox" })]);
  assert.deepEqual(read(toText(deck)).cards, ["2|Owl||", "1|Fox||"]);
});

test("what is not an entry of a JSON file is named with its place", () => {
  /** @type {LeftOut[]} */
  const leftOut = [];
  assert.deepEqual(fromJson('{"version":1,"entries":[7,{"name":"A"},{"count":1}]}', leftOut), []);
  assert.deepEqual(
    leftOut.map(({ where, reason }) => `${where}: ${reason}`),
    ["entry 1: this is not an item", "entry 2: no count", "entry 3: no name"],
  );
});

test("export and import give the same deck back, whatever is in it", () => {
  const odd = [
    "Owl",
    "'Tis",
    "'=1",
    "=1+1",
    "@home",
    "-x",
    'a "b", c',
    "two\nlines",
    "Ünï;cödé | x",
    "4 Non Blondes",
    "#1 Record",
  ];
  const amounts = [null, 0, 0.01, 1.125, 12.5, 1980, 1234.567];
  const entries = odd.flatMap((name, at) =>
    amounts.map((amount, place) =>
      entry({
        ...{
          key: `${at}/${place} é.jpg`,
          refFilename: `${at}/${place} é.jpg`,
          name,
          rarity: "UR",
          setCode: `AB-${place}`,
        },
        refUrl: `/refs/${at}/${encodeURIComponent(`${place} é.jpg`)}`,
        ...{ count: 1 + at, cents: amount === null ? null : Math.round(amount * 100), amount, currency: "USD" },
        date: at % 2 ? "2026-11-25T10:00:00+00:00" : "",
      }),
    ),
  );
  assert.deepEqual(read(toCsv(entries)), { ...read(toCsv(entries)), entries, told: [] });
  assert.deepEqual(readDeck(toJson(entries)), entries);

  // As a German spreadsheet saves it again.
  const cells = [
    ["count", "name", "usd_each", "price_date"],
    ["2", "Owl", "12,50", "25.11.2026"],
  ];
  const [again] = read("\uFEFF" + cells.map((row) => row.join(";")).join("\r\n")).entries;
  assert.deepEqual([again.count, again.cents, again.date], [2, 1250, "2026-11-25"]);
});

test("any names survive a CSV, in any mixture of the letters that mean something in one", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647; // Lehmer's generator: the same every time
  const letters = ["a", "é", " ", ",", ";", "\t", "|", '"', "'", "\n", "\r\n", "=", "-", "+", "@", "1"];
  for (let round = 0; round < 3000; round++) {
    const word = () =>
      Array.from({ length: 6 }, () => letters[Math.floor(random() * letters.length)])
        .join("")
        .trim();
    const entries = [0, 1, 2].map((at) => {
      const refFilename = `${at}${word()}.jpg`;
      const refUrl = `/refs/${refFilename.split("/").map(encodeURIComponent).join("/")}`;
      const amount = Math.round(random() * 1e6) / 1000;
      return entry({ key: refFilename, refFilename, refUrl, name: word() || "x", amount, currency: "EUR" });
    });
    assert.deepEqual(readDeck(toCsv(entries)), entries);
  }
});

test("text in Unicode is decoded, other text refused in plain words", () => {
  const bytes = (/** @type {number[]} */ ...values) => new Uint8Array(values).buffer;
  assert.equal(decodeText(bytes(0xff, 0xfe, 0x41, 0)), "A");
  assert.equal(decodeText(bytes(0xc3, 0xa9)), "é");
  assert.throws(() => decodeText(bytes(0x43, 0xe9)), /UTF-8/);
});

test("a file that is neither a table nor a deck list is refused with a reason", () => {
  for (const text of ["", "hello\nworld\n", "a,b\n1,2\n", "name,price\nOwl,2\n"])
    assert.throws(() => readDeck(text), /columns/);
});
