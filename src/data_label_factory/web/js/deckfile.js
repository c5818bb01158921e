import { readCount } from "./count.js";
import { joinEntries, MOST_COPIES } from "./deck.js";
import { isDeckList, readDeckList } from "./decklist.js";
import { toCents } from "./money.js";
import { foldName } from "./names.js";
import { currencyInTitle, priceCell, PriceColumn } from "./pricecell.js";
import { foldTitle, readTable, surplusHint } from "./table.js";

/** @import {Deck, Entry} from "./deck.js" */
/** @import {LeftOut, Row} from "./table.js" */

/** The deck as text, and back: JSON (also stored by the browser), CSV (RFC 4180), and plain lines to paste. */

export const VERSION = 1;
const MOST_ENTRIES = 20_000;
/** The columns of the CSV, with their other names in `foldTitle`'s spelling. @type {Record<string, string>} */
const COLUMNS = {
  count: "quantity qty copies owned numberofcopies anzahl menge cantidad quantité",
  name: "cardname card title item itemname product productname cardtitle",
  rarity: "rarityname",
  set_code: "setcode set edition editioncode expansion expansioncode setid",
  usd_each: "usd usdprice priceusd usdeach",
  price_each: "price priceeach unitprice marketprice each value priceeur eurprice preis prix",
  currency: "pricecurrency currencycode",
  price_date: "date pricedate",
  ref_filename: "reffilename reference",
};
const NUMBER = "collector_number"; // joins a set code that comes without one
const KNOWN = new Map(
  Object.entries({ ...COLUMNS, [NUMBER]: "collectornumber collectorno cardnumber number cn" }).flatMap(
    ([column, others]) => [foldTitle(column), ...others.split(" ")].map((title) => [title, column]),
  ),
);
const FORMULA = /^'*[=+\-@\t\r]/; // a spreadsheet would evaluate it

/** @param {readonly Entry[]} entries @returns {string} */
export function toJson(entries) {
  return JSON.stringify({ format: "data_label_factory deck", version: VERSION, entries }, null, 1);
}

/**
 * The entries of a file of any kind: JSON, CSV or a deck list.
 * @param {string} text @param {LeftOut[]} [leftOut] what was left out is added to it
 * @returns {Entry[]} Throws an Error that says what is wrong.
 */
export function readDeck(text, leftOut = []) {
  const isJson = /^\uFEFF?\s*(?:\{|\[\s*(?:[\]{]|$))/.test(text);
  const read = isJson ? fromJson : findHeader(text) || !isDeckList(text) ? fromCsv : fromDeckList;
  const entries = read(text, leftOut);
  leftOut.sort((a, b) => a.where.localeCompare(b.where, "en", { numeric: true }));
  return entries;
}

/** @param {string} text @param {LeftOut[]} [leftOut] @returns {Entry[]} Throws an Error that says what is wrong. */
export function fromJson(text, leftOut = []) {
  let value;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new Error("This is not a JSON file, or it is truncated.");
  }
  if (!value || !Array.isArray(value.entries)) throw new Error("This JSON file is not a deck.");
  if (!(value.version <= VERSION))
    throw new Error("This deck comes from a newer version of this page. Reload it first.");
  return collect(
    value.entries.map((/** @type {any} */ entry, /** @type {number} */ at) => ({
      where: `entry ${at + 1}`,
      value: entry,
    })),
    leftOut,
  );
}

/** @param {readonly Entry[]} entries @returns {string} */
export function toCsv(entries) {
  const rows = entries.map((entry) => [
    entry.count,
    entry.name,
    entry.rarity,
    entry.setCode,
    entry.cents === null ? "" : (entry.cents / 100).toFixed(2),
    entry.amount === null ? "" : priceCell(entry.amount),
    entry.currency,
    entry.date,
    entry.refFilename,
  ]);
  return [Object.keys(COLUMNS), ...rows].map((row) => row.map(quoted).join(",") + "\r\n").join("");
}

/** @param {string | number} value */
function quoted(value) {
  let text = String(value);
  if (typeof value === "string" && FORMULA.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {string} text @param {LeftOut[]} [leftOut] @returns {Entry[]} Throws an Error that says what is wrong. */
export function fromCsv(text, leftOut = []) {
  const header = findHeader(text);
  if (!header)
    throw new Error("This file has no columns “count” and “name” in its first line, and is no deck list either.");
  const { rows, delimiter, places, titles } = header;
  /** @param {string} column @returns {string} */
  const titleOf = (column) => titles[places.get(column) ?? -1] ?? "";
  /** @param {Row} row @param {string} column @returns {string} */
  const field = ({ cells }, column) => (cells[places.get(column) ?? -1] ?? "").replace(/^'(?='*[=+\-@\t\r])/, "");
  /** @param {string} column @param {string} currency */
  const reader = (column, currency) => {
    const prices = new PriceColumn(
      rows.map((row) => field(row, column)),
      delimiter === ";",
    );
    return (/** @type {Row} */ row, /** @type {string} */ given) => {
      try {
        return prices.read(field(row, column), given || currency);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        leftOut.push({ where: `line ${row.line}`, reason: `${why}: taken in without it`, isRow: false });
        return null;
      }
    };
  };
  const readUsd = reader("usd_each", "USD");
  const readPrice = reader("price_each", currencyInTitle(titleOf("price_each")));

  const values = rows.flatMap((row) => {
    const where = `line ${row.line}`;
    const problem = row.broken ? 'a "quote" does not end, or goes on after its end' : surplus(row, titles, delimiter);
    if (problem) {
      leftOut.push({ where, reason: problem, isRow: true });
      return [];
    }
    const refFilename = field(row, "ref_filename");
    const value = {
      count: field(row, "count"),
      name: field(row, "name"),
      rarity: field(row, "rarity"),
      setCode: joinSetCode(field(row, "set_code"), field(row, NUMBER)),
      refFilename,
      refUrl: refFilename && `/refs/${refFilename.split("/").map(encodeURIComponent).join("/")}`,
    };
    if (whyNot(value)) return [{ where, value }]; // its price needs no word
    const usd = readUsd(row, "");
    const currency = field(row, "currency");
    const price = readPrice(row, currencyInTitle(currency) || currency);
    const money = joinPrices(usd, price, titleOf("usd_each") ? currency : "USD", titleOf("usd_each"));
    return [{ where, value: { ...value, ...money, ...readDate(field(row, "price_date"), where, leftOut) } }];
  });
  return collect(values, leftOut);
}

/** @param {string} text @param {LeftOut[]} leftOut @returns {Entry[]} */
function fromDeckList(text, leftOut) {
  const values = readDeckList(text).flatMap(({ number, card }) => {
    const where = `line ${number}`;
    if (typeof card !== "string") return [{ where, value: card }];
    leftOut.push({ where, reason: card, isRow: true });
    return [];
  });
  return collect(values, leftOut);
}

/** The rows below a first line that names the columns; null without one. @param {string} text */
function findHeader(text) {
  const { rows, delimiter } = readTable(text, (title) => KNOWN.has(foldTitle(title)));
  const titles = rows.shift()?.cells ?? [];
  /** @type {Map<string, number>} */
  const places = new Map();
  titles.forEach((title, place) => {
    const column = KNOWN.get(foldTitle(title));
    // Of two titles for one column, the column's own name counts, else the first.
    if (column && (!places.has(column) || foldTitle(title) === foldTitle(column))) places.set(column, place);
  });
  return places.has("count") && places.has("name") ? { rows, delimiter, places, titles } : null;
}

/** @param {Row} row @param {string[]} titles @param {string} delimiter */
function surplus({ cells }, titles, delimiter) {
  return cells.some((cell, place) => cell && !titles[place]) ? surplusHint(delimiter) : "";
}

/** `neo` and `12` → NEO-12; a set's name, or a code with a number, stays. @param {string} code @param {string} number */
function joinSetCode(code, number) {
  if (!number || !/^[A-Za-z0-9]{2,8}$/.test(code)) return code;
  return `${code}-${number}`.toUpperCase();
}

/**
 * A price without any currency counts as US dollars; zero is none, except in this page's own column.
 * @param {{amount: number} | null} usd @param {{amount: number, currency: string} | null} price
 * @param {string} unnamed the currency of a price that names none @param {string} usdTitle
 */
function joinPrices(usd, price, unnamed, usdTitle) {
  const dollars = usd && (usd.amount > 0 || usdTitle === "usd_each") ? toCents(usd.amount) : null;
  if (!price || (!price.amount && !usdTitle)) return { cents: dollars, amount: null, currency: usdTitle && unnamed };
  const currency = price.currency || unnamed;
  return {
    cents: dollars ?? (!usdTitle && currency === "USD" ? toCents(price.amount) : null),
    amount: price.amount,
    currency,
  };
}

/** Spreadsheets rewrite days: 25.11.2026 is 2026-11-25. @param {string} date @param {string} where @param {LeftOut[]} leftOut */
function readDate(date, where, leftOut) {
  const iso = date
    .trim()
    .replace(/^(\d{1,2})\.(\d{1,2})\.(\d{4})$/, (_, day, month, year) =>
      [year, month.padStart(2, "0"), day.padStart(2, "0")].join("-"),
    );
  if (!iso || (/^\d{4}-/.test(iso) && !Number.isNaN(Date.parse(iso)))) return { date: iso };
  leftOut.push({ where, reason: `date ‘${date}’ is not like 2026-11-25: taken in without it`, isRow: false });
  return { date: "" };
}

/** Lines of count and name, such as every deck builder reads: `4 Owl`. @param {Deck} deck @returns {string} */
export function toText(deck) {
  /** @type {Map<string, {name: string, count: number}>} */
  const named = new Map();
  for (const { name, count } of deck.entries) {
    const key = foldName(name);
    named.set(key, { name: named.get(key)?.name ?? name, count: count + (named.get(key)?.count ?? 0) });
  }
  const lines = [...named.values()].map(({ name, count }) => `${count} ${name.replaceAll(/\s+/g, " ").trim()}\n`);
  return lines.join("");
}

/**
 * Entries from any file, validated: missing values become empty; what has no name or no count is left out.
 * @param {{where: string, value: any}[]} values @param {LeftOut[]} leftOut @returns {Entry[]}
 */
function collect(values, leftOut) {
  /** @type {Map<string, Entry>} */
  const found = new Map();
  for (const { where, value } of values) {
    const reason = found.size < MOST_ENTRIES ? whyNot(value) : `a deck has at most ${MOST_ENTRIES} items`;
    if (reason) {
      leftOut.push({ where, reason, isRow: true });
      continue;
    }
    const count = Number(readCount(value.count));
    if (count > MOST_COPIES)
      leftOut.push({ where, reason: `count ‘${value.count}’: ${MOST_COPIES} were taken in`, isRow: false });
    const [name, rarity, setCode] = [text(value.name), text(value.rarity), text(value.setCode)];
    const refFilename = text(value.refFilename);
    const key = text(value.key) || refFilename || itemKey(name, rarity, setCode);
    const cents = Number.isSafeInteger(value.cents) && value.cents >= 0 ? value.cents : null;
    const amount = Number.isFinite(value.amount) ? value.amount : null;
    const refUrl = isOwnPath(value.refUrl) ? value.refUrl : "";
    const [currency, date] = [text(value.currency), text(value.date)];
    const known = found.get(key);
    const entry = { key, name, rarity, setCode, refUrl, refFilename, cents, amount, currency, date };
    const fresh = { ...entry, count: Math.min(MOST_COPIES, count) };
    found.set(key, known ? joinEntries(known, fresh) : fresh);
  }
  return [...found.values()];
}

/** Why a value is no entry, or "". @param {any} value */
function whyNot(value) {
  if (!value || typeof value !== "object") return "this is not an item";
  if (!text(value.name)) return "no name";
  const count = readCount(value.count);
  return typeof count === "string" ? count : "";
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value.slice(0, 300) : "";
}

/** Whether this is a path on this origin: pictures are never requested from another one. @param {unknown} value @returns {boolean} */
export function isOwnPath(value) {
  return typeof value === "string" && /^\/(?![/\\])/.test(value);
}

/** The key of an item without a reference file. @param {string} name @param {string} rarity @param {string} setCode */
export function itemKey(name, rarity, setCode) {
  return [name, rarity, setCode].join("\u0000");
}
