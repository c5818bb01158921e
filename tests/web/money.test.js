import assert from "node:assert/strict";
import test from "node:test";

import { formatDate, formatMoney, formatUsd, toCents } from "../../src/data_label_factory/web/js/money.js";

test("cents are whole, and an invalid price is null", () => {
  assert.equal(toCents(0.29), 29);
  assert.equal(toCents(19.99), 1999);
  assert.equal(toCents(0), 0);
  for (const nothing of [null, undefined, NaN, Infinity, -1]) assert.equal(toCents(nothing), null);
});

test("a thousand times 10 cents is 100 dollars", () => {
  let sum = 0;
  for (let i = 0; i < 1000; i++) sum += toCents(0.1) ?? 0;
  assert.equal(formatUsd(sum), "$100.00");
  assert.equal(formatUsd(123_456_789), "$1,234,567.89");
});

test("currencies are written as they are used, unknown ones with their code", () => {
  assert.equal(formatMoney(1980, "JPY"), "¥1,980");
  assert.equal(formatMoney(12.5, "EUR"), "€12.50");
  assert.equal(formatMoney(3, "no such"), "3 no such");
});

test("a date is a day, no date is empty", () => {
  assert.equal(formatDate("2026-11-01T23:59:00+00:00"), "1 Nov 2026");
  assert.equal(formatDate(""), "");
  assert.equal(formatDate("soon"), "");
});
