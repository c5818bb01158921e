import { toCents } from "./money.js";
import { foldName } from "./names.js";

/** @import {Item, Price} from "./types.js" */

export const MOST_COPIES = 9999;

/** What catalogs call a rarity → its code in lower case, as `rarities.rarity_code` of the server reads it. */
const RARITIES = new Map([
  ["prismaticsecretrare", "pscr"],
  ["secretrare", "scr"],
  ["ultrarare", "ur"],
  ["superrare", "sr"],
  ["ultimaterare", "utr"],
  ["collectorsrare", "cr"],
  ["grandmasterrare", "gmr"],
]);

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

  /**
   * The number of copies, of copies with a price, and the sum of their prices: in US cents, and what has no rate to USD
   * in the `others`, its own currencies.
   */
  get totals() {
    let copies = 0;
    let priced = 0;
    let cents = 0;
    /** @type {Map<string, number>} currency → hundredths */
    const others = new Map();
    for (const { count, cents: each, amount, currency } of this.#entries) {
      copies += count;
      const own = each === null && currency ? toCents(amount) : null;
      if (each === null && own === null) continue;
      priced += count;
      if (each !== null) cents += count * each;
      else others.set(currency, (others.get(currency) ?? 0) + count * (own ?? 0));
    }
    return { copies, priced, cents, others };
  }

  /** @param {string} key */
  count(key) {
    return this.#entries.find((entry) => entry.key === key)?.count ?? 0;
  }

  /** Add one copy, as the newest entry; a newer price replaces the older one. @param {Item} item @param {Price | null} price */
  add(item, price) {
    const money = price
      ? { cents: toCents(price.usd), amount: price.amount, currency: price.currency, date: price.date }
      : { cents: null, amount: null, currency: "", date: "" };
    const { key, name, rarity, setCode, refUrl, refFilename } = item;
    this.merge([{ key, name, rarity, setCode, refUrl, refFilename, count: 1, ...money }]);
    this.#entries = [...this.#entries].sort((a, b) => Number(a.key === key) - Number(b.key === key));
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
    const all = [...this.#entries];
    const places = new Map(all.map((entry, place) => [entry.key, place]));
    /** @type {Map<string, number[]>} */
    const named = new Map();
    /** @param {Entry} entry @param {number} place */
    const note = (entry, place) => {
      places.set(entry.key, place);
      named.set(foldName(entry.name), [...new Set([...(named.get(foldName(entry.name)) ?? []), place])]);
    };
    all.forEach(note);
    for (const entry of entries) {
      const others = named.get(foldName(entry.name)) ?? [];
      const place = places.get(entry.key) ?? others.find((other) => all[other] === findSame(entry, all, others));
      if (place === undefined) all.push(entry);
      else all[place] = joinEntries(all[place], entry);
      note(all[place ?? all.length - 1], place ?? all.length - 1);
    }
    this.#entries = all;
  }
}

/** One entry for the copies of two; the price is the newer one. @param {Entry} known @param {Entry} fresh @returns {Entry} */
export function joinEntries(known, fresh) {
  const [first, second] = fresh.refFilename ? [fresh, known] : [known, fresh];
  return {
    ...newerPrice(known, fresh),
    key: first.key,
    name: first.name,
    rarity: first.rarity || second.rarity,
    setCode: first.setCode || second.setCode,
    refUrl: first.refUrl || second.refUrl,
    refFilename: first.refFilename || second.refFilename,
    count: Math.min(MOST_COPIES, known.count + fresh.count),
  };
}

/**
 * The entry that one with the same name means, if one of the two has no reference file: the one of the same set code
 * and rarity, else the only one that contradicts neither.
 * @param {Entry} entry @param {readonly Entry[]} all @param {readonly number[]} places @returns {Entry | undefined}
 */
function findSame(entry, all, places) {
  const others = places.map((place) => all[place]).filter((other) => !(entry.refFilename && other.refFilename));
  /** @param {(mine: string, theirs: string) => boolean} agree */
  const agreeing = (agree) =>
    others.filter(
      ({ setCode, rarity }) =>
        agree(comparable(entry.setCode), comparable(setCode)) && agree(comparable(entry.rarity), comparable(rarity)),
    );
  const [same] = agreeing((mine, theirs) => mine === theirs);
  // NEO, without a number, may be NEO-12.
  const possible = agreeing(
    (mine, theirs) => !mine || !theirs || `${theirs}-`.startsWith(`${mine}-`) || mine.startsWith(`${theirs}-`),
  );
  return same ?? (possible.length === 1 ? possible[0] : undefined);
}

/** A set code or rarity in lower case; "" for a set's name in words, which a code neither equals nor contradicts. @param {string} text */
function comparable(text) {
  const spelled = RARITIES.get(text.toLowerCase().replaceAll(/[^a-z]/g, ""));
  return spelled ?? (/\s/.test(text) ? "" : text.toLowerCase());
}

/** The price that counts: never an older or an undated one over a dated, never none over one. @param {Entry} known @param {Entry} fresh */
function newerPrice(known, fresh) {
  if (fresh.cents === null && (fresh.amount === null || known.cents !== null)) return known;
  if (known.cents === null && known.amount === null) return fresh;
  const before = Date.parse(known.date);
  return Number.isNaN(before) || Date.parse(fresh.date) >= before ? fresh : known;
}
