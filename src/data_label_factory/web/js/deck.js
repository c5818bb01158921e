import { toCents } from "./money.js";

/** @import {Item, Price} from "./types.js" */

export const MOST_COPIES = 9999;

/**
 * @typedef {Item & {count: number, cents: number | null, amount: number | null, currency: string, date: string}} Entry
 *   `cents` is one copy's price in US cents
 */

/** The collected items. Every change makes a new list of entries, so an earlier state can be restored. */
export class Deck {
  /** @type {readonly Entry[]} */
  #entries;

  /** @param {readonly Entry[]} [entries] */
  constructor(entries = []) {
    this.#entries = entries;
  }

  get entries() {
    return this.#entries;
  }

  /** The number of copies, of copies with a price, and the sum of their prices in US cents. */
  get totals() {
    let copies = 0;
    let priced = 0;
    let cents = 0;
    for (const entry of this.#entries) {
      copies += entry.count;
      if (entry.cents === null) continue;
      priced += entry.count;
      cents += entry.count * entry.cents;
    }
    return { copies, priced, cents };
  }

  /** @param {string} key */
  count(key) {
    return this.#entries.find((entry) => entry.key === key)?.count ?? 0;
  }

  /** Add one copy; a newer price replaces the older one. @param {Item} item @param {Price | null} price */
  add(item, price) {
    const known = this.#entries.find((entry) => entry.key === item.key);
    const cents = toCents(price?.usd);
    const money = price
      ? { cents, amount: price.amount, currency: price.currency, date: price.date }
      : { cents: null, amount: null, currency: "", date: "" };
    const { key, name, rarity, setCode, refUrl, refFilename } = item;
    const plain = { key, name, rarity, setCode, refUrl, refFilename };
    if (!known) {
      this.#entries = [...this.#entries, { ...plain, count: 1, ...money }];
      return;
    }
    const fresh = { ...known, ...plain, ...(price ? money : {}), count: Math.min(MOST_COPIES, known.count + 1) };
    this.#entries = this.#entries.map((entry) => (entry === known ? fresh : entry));
  }

  /** @param {string} key @param {number} count 0 removes it */
  setCount(key, count) {
    const whole = Math.min(MOST_COPIES, Math.max(0, Math.floor(count)));
    this.#entries = this.#entries
      .map((entry) => (entry.key === key ? { ...entry, count: whole } : entry))
      .filter((entry) => entry.count > 0);
  }

  clear() {
    this.#entries = [];
  }

  /** Add `entries`; copies of the same item add up. @param {readonly Entry[]} entries */
  merge(entries) {
    const all = new Map(this.#entries.map((entry) => [entry.key, entry]));
    for (const entry of entries) {
      const count = Math.min(MOST_COPIES, entry.count + (all.get(entry.key)?.count ?? 0));
      all.set(entry.key, { ...entry, count });
    }
    this.#entries = [...all.values()];
  }
}
