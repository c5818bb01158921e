import { foldName } from "./names.js";
import { refUrlOf } from "./refurl.js";

/** @import {Spot} from "./scanrun.js" */
/** @import {Item, Price, Reading} from "./types.js" */

export const MOST_CANDIDATES = 5; // one for each of the keys 1–5
const MOST_ASKED = 500;

/**
 * @typedef {object} Asked       something that the user is to name
 * @property {string} key        unique
 * @property {number} thing      `no` of the thing, 0 for one of a picture
 * @property {Item[]} candidates the likeliest first
 * @property {Price | null} price of the first
 * @property {string} crop       a picture of it as a data URL, or empty
 * @property {Spot} [spot]       where in pictures it was
 */

/** What waits for a word of the user, the oldest first. Every change makes a new list. */
export class Review {
  /** @type {readonly Asked[]} */
  entries;

  /** @param {readonly Asked[]} [entries] */
  constructor(entries = []) {
    this.entries = entries;
  }

  /** @param {Asked} asked @returns {boolean} false if there is no room */
  add(asked) {
    if (this.entries.length >= MOST_ASKED) return false;
    this.entries = [...this.entries, asked];
    return true;
  }

  /** Ask again, before all others. @param {Asked} asked */
  putBack(asked) {
    this.entries = [asked, ...this.entries];
  }

  /** @param {string} key @returns {Asked | null} what was taken out */
  remove(key) {
    const found = this.find(key);
    this.entries = this.entries.filter((entry) => entry !== found);
    return found;
  }

  /** @param {number} thing @returns {Asked | null} */
  findThing(thing) {
    return (thing && this.entries.find((entry) => entry.thing === thing)) || null;
  }

  /** @param {string} key @returns {Asked | null} */
  find(key) {
    return this.entries.find((entry) => entry.key === key) ?? null;
  }
}

/** The items that a reading may be, by different names. @param {Reading} reading @returns {Item[]} */
export function candidatesOf({ item, runnersUp }) {
  /** @type {Map<string, Item>} */
  const items = new Map([[foldName(item.name), item]]);
  for (const { name, filename } of runnersUp) {
    const key = foldName(name);
    if (!name || !filename || items.has(key)) continue;
    items.set(key, { key: filename, name, rarity: "", setCode: "", refUrl: refUrlOf(filename), refFilename: filename });
  }
  return [...items.values()].slice(0, MOST_CANDIDATES);
}

/** @param {readonly Asked[]} entries @returns {string} */
export function toText(entries) {
  return JSON.stringify({ version: 1, entries });
}

/** @param {string} text @returns {Asked[]} Throws an Error if it is none. */
export function fromText(text) {
  const { version, entries } = JSON.parse(text);
  if (version !== 1 || !Array.isArray(entries)) throw new Error("not what this page keeps");
  return entries.filter(({ key, candidates, crop }) => {
    const isWhole = Array.isArray(candidates) && candidates.every((item) => typeof item?.name === "string");
    return typeof key === "string" && isWhole && (crop === "" || String(crop).startsWith("data:image/"));
  });
}
