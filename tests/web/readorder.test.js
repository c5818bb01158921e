import assert from "node:assert/strict";
import test from "node:test";

import { readingOrder } from "../../src/data_label_factory/web/js/readorder.js";

/** @param {string} name @param {number} x @param {number} y @param {{row?: number, column?: number}} [told] */
const card = (name, x, y, told = {}) => ({ name, box: { x1: x, y1: y, x2: x + 0.2, y2: y + 0.28 }, ...told });
/** @param {ReturnType<typeof card>[]} cards */
const read = (cards) => readingOrder(cards).map(({ thing, row, column }) => `${thing.name}${row}${column}`);

test("row by row from the top, each from the left, though nothing lies straight", () => {
  const cards = [card("F", 0.7, 0.42), card("B", 0.4, 0.06), card("D", 0.1, 0.36), card("C", 0.7, 0.1)];
  cards.push(card("A", 0.1, 0.02), card("E", 0.4, 0.39));
  assert.deepEqual(read(cards), ["A11", "B12", "C13", "D21", "E22", "F23"]);
});

test("a row with a gap counts what is there", () => {
  assert.deepEqual(read([card("C", 0.7, 0.5), card("B", 0.7, 0.1), card("A", 0.1, 0.1)]), ["A11", "B12", "C21"]);
});

test("what the server says counts", () => {
  const cards = [card("B", 0.1, 0.1, { row: 2, column: 1 }), card("A", 0.1, 0.6, { row: 1, column: 3 })];
  assert.deepEqual(read(cards), ["A13", "B21"]);
  assert.deepEqual(read([card("B", 0.1, 0.6, { row: 1, column: 1 }), card("A", 0.1, 0.1)]), ["A11", "B21"]);
});

test("one thing, and none", () => {
  assert.deepEqual(read([card("A", 0.5, 0.5)]), ["A11"]);
  assert.deepEqual(read([]), []);
});
