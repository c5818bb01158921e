import { MOST_COPIES } from "./deck.js";
import { formatUsd, toCents } from "./money.js";

/** @import {Deck, Entry} from "./deck.js" */

/** The deck as text, and back: JSON (also stored by the browser), CSV (RFC 4180), and plain lines to paste. */

export const VERSION = 1;
const MOST_ENTRIES = 20_000;
const COLUMNS = [
  "count",
  "name",
  "rarity",
  "set_code",
  "usd_each",
  "price_each",
  "currency",
  "price_date",
  "ref_filename",
];
const FORMULA = /^[=+\-@\t\r]/; // a spreadsheet would evaluate it

/** @param {readonly Entry[]} entries @returns {string} */
export function toJson(entries) {
  return JSON.stringify({ format: "data_label_factory deck", version: VERSION, entries }, null, 1);
}

/** @param {string} text @returns {Entry[]} Throws an Error that says what is wrong. */
export function fromJson(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("This is not a JSON file, or it is truncated.");
  }
  if (!value || !Array.isArray(value.entries)) throw new Error("This JSON file is not a deck.");
  if (!(value.version <= VERSION))
    throw new Error("This deck comes from a newer version of this page. Reload it first.");
  return cleaned(value.entries);
}

/** @param {readonly Entry[]} entries @returns {string} */
export function toCsv(entries) {
  const rows = entries.map((entry) => [
    entry.count,
    entry.name,
    entry.rarity,
    entry.setCode,
    entry.cents === null ? "" : (entry.cents / 100).toFixed(2),
    entry.amount ?? "",
    entry.currency,
    entry.date,
    entry.refFilename,
  ]);
  return [COLUMNS, ...rows].map((row) => row.map(quoted).join(",") + "\r\n").join("");
}

/** @param {string | number} value */
function quoted(value) {
  let text = String(value);
  if (typeof value === "string" && FORMULA.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {string} text @returns {Entry[]} Throws an Error that says what is wrong. */
export function fromCsv(text) {
  const [head, ...rows] = parseCsv(text.replace(/^\uFEFF/, ""));
  if (!head?.includes("count") || !head.includes("name")) {
    throw new Error("This CSV file has no columns “count” and “name” in its first line.");
  }
  const records = rows
    .filter((row) => row.some(Boolean))
    .map((row) => {
      /** @param {string} column */
      const field = (column) => (row[head.indexOf(column)] ?? "").replace(/^'(?=[=+\-@\t\r])/, "");
      /** @param {string} column */
      const number = (column) => (field(column).trim() === "" ? null : Number(field(column)));
      const refFilename = field("ref_filename");
      return {
        count: number("count"),
        name: field("name"),
        rarity: field("rarity"),
        setCode: field("set_code"),
        cents: toCents(number("usd_each")),
        amount: number("price_each"),
        currency: field("currency"),
        date: field("price_date"),
        refFilename,
        refUrl: refFilename && `/refs/${refFilename.split("/").map(encodeURIComponent).join("/")}`,
      };
    });
  return cleaned(records);
}

/** @param {string} text @returns {string[][]} */
function parseCsv(text) {
  /** @type {string[][]} */
  const rows = [[]];
  for (const [, quotedField, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    rows[rows.length - 1].push(quotedField === undefined ? plain : quotedField.replaceAll('""', '"'));
    if (end === "") break;
    if (end !== ",") rows.push([]);
  }
  return rows;
}

/** One line per item, in the format that forums and shops accept. @param {Deck} deck @returns {string} */
export function toText(deck) {
  const lines = deck.entries.map((entry) => {
    const facts = [entry.rarity && `(${entry.rarity})`, entry.setCode && `[${entry.setCode}]`].filter(Boolean);
    return [`${entry.count}×`, entry.name, ...facts].join(" ");
  });
  const { cents, priced } = deck.totals;
  return [...lines, ...(priced ? ["", `Total ${formatUsd(cents)}`] : [])].join("\n");
}

/**
 * Entries from any file, validated: missing values become empty, entries without a name or a count are dropped.
 * @param {any[]} values @returns {Entry[]}
 */
function cleaned(values) {
  /** @type {Map<string, Entry>} */
  const found = new Map();
  for (const value of values.slice(0, MOST_ENTRIES)) {
    const name = text(value?.name);
    const count = Math.min(MOST_COPIES, Math.floor(Number(value?.count)));
    if (!name || !(count >= 1)) continue;
    const [rarity, setCode, refFilename] = [text(value.rarity), text(value.setCode), text(value.refFilename)];
    const key = text(value.key) || refFilename || itemKey(name, rarity, setCode);
    const cents = Number.isSafeInteger(value.cents) && value.cents >= 0 ? value.cents : null;
    const amount = Number.isFinite(value.amount) ? value.amount : null;
    const refUrl = isOwnPath(value.refUrl) ? value.refUrl : "";
    const [currency, date] = [text(value.currency), text(value.date)];
    const before = found.get(key)?.count ?? 0;
    const entry = { key, name, rarity, setCode, refUrl, refFilename, cents, amount, currency, date };
    found.set(key, { ...entry, count: Math.min(MOST_COPIES, before + count) });
  }
  return [...found.values()];
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
