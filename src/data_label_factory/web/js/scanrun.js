import { toCents } from "./money.js";

/** @import {Item, Price} from "./types.js" */
/** @import {Asked} from "./review.js" */

/**
 * @typedef {object} Row      one copy that was taken
 * @property {string} key     unique, also between devices
 * @property {number} thing   `no` of the thing it was taken of, 0 for none
 * @property {Item} item
 * @property {Price | null} price
 * @property {Promise<string>} crop  a picture of it as a data URL, or empty
 * @property {Spot} [spot]    where in pictures it was
 *
 * @typedef {{page: string, row: number, column: number}} Spot  a picture's name, and a place in it from 1
 *
 * @typedef {object} Step     what can be undone
 * @property {"take" | "remove" | "dismiss"} kind
 * @property {Row | null} row
 * @property {Asked | null} asked  what this ended in the review
 * @property {number} at      where the row was
 *
 * @typedef {{count: number, cents: number, others: Map<string, number>, unpriced: number}} Totals
 *   `others`: currency → hundredths, of what has no price in US dollars
 */

/** What a scan has taken so far: rows, their sum, and the way back. */
export class ScanRun {
  /** @type {Row[]} oldest first */
  rows = [];
  /** @type {Step[]} */
  #steps = [];

  get canUndo() {
    return this.#steps.length > 0;
  }

  /** @returns {Totals} */
  get totals() {
    let [cents, unpriced] = [0, 0];
    const others = new Map();
    for (const { price } of this.rows) {
      const dollars = toCents(price?.usd);
      const foreign = toCents(price?.amount);
      if (dollars !== null) cents += dollars;
      else if (price && foreign !== null) others.set(price.currency, (others.get(price.currency) ?? 0) + foreign);
      else unpriced += 1;
    }
    return { count: this.rows.length, cents, others, unpriced };
  }

  /** @param {Row} row @param {Asked | null} [asked] */
  take(row, asked = null) {
    this.rows.push(row);
    this.#steps.push({ kind: "take", row, asked, at: 0 });
  }

  /** The newest row of a thing. @param {number} thing @returns {Row | undefined} */
  find(thing) {
    return this.rows.findLast((row) => row.thing === thing);
  }

  /** @param {Row} row */
  remove(row) {
    const at = this.rows.indexOf(row);
    this.rows.splice(at, 1);
    this.#steps.push({ kind: "remove", row, asked: null, at });
  }

  /** @param {Asked} asked */
  dismiss(asked) {
    this.#steps.push({ kind: "dismiss", row: null, asked, at: 0 });
  }

  /** Take the newest step back. @returns {Step | null} null if there is none */
  undo() {
    const step = this.#steps.pop() ?? null;
    if (step?.kind === "take") this.rows = this.rows.filter((row) => row !== step.row);
    if (step?.kind === "remove" && step.row) this.rows.splice(step.at, 0, step.row);
    return step;
  }

  clear() {
    [this.rows, this.#steps] = [[], []];
  }
}
