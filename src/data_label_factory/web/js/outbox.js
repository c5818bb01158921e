import { ApiError } from "./apierror.js";
import { load, save } from "./store.js";

const KEPT_AS = "outbox";
const RETRY_MS = 2000;
const MOST_AT_ONCE = 20; // with their pictures: about half a megabyte

/**
 * @typedef {object} Take      what a list is to get
 * @property {string} key      unique: what is sent twice is added once
 * @property {number} list
 * @property {Record<string, any>} entry
 * @property {boolean} merge
 */

/**
 * What was taken and is not confirmed by the server yet, sent one after the other. It is kept by the browser meanwhile:
 * neither a reload nor a server that is away loses any.
 */
export class Outbox {
  /** Why the first is not taken; empty while there is hope. */
  problem = "";
  /** @type {Take[]} */
  #waiting = load(KEPT_AS, readTakes).value ?? [];
  #isSending = false;
  /** @type {Map<string, number>} key → id of the entry that it became */
  #ids = new Map();
  #timer = 0;
  /** @type {Set<string>} keys that were sent and not answered yet */
  #underWay = new Set();
  /** Keys that this page has had: what else is kept belongs to another tab. */
  #own = new Set(this.#waiting.map(({ key }) => key));

  /**
   * @param {(takes: Take[]) => Promise<number[]>} post  takes of one list → ids of their entries; throws ApiError
   * @param {() => void} onChange
   */
  constructor(post, onChange) {
    this.post = post;
    this.onChange = onChange;
  }

  get waiting() {
    return this.#waiting.length;
  }

  /** @param {Take} take */
  add(take) {
    this.#keep([...this.#waiting, take]);
    this.send();
  }

  /** The entry that a take became; null if it was not sent yet, and then it never is. @param {string} key @returns {Promise<number | null>} */
  async recall(key) {
    while (this.#underWay.has(key)) await new Promise((resolve) => setTimeout(resolve, 20));
    if (this.#waiting.some((take) => take.key === key)) {
      this.#keep(this.#waiting.filter((take) => take.key !== key));
      return null;
    }
    return this.#ids.get(key) ?? null;
  }

  /** Send what waits, until nothing does or something fails. A list that refuses, as a deleted one does, holds up no other. */
  async send() {
    if (this.#isSending) return;
    this.#isSending = true;
    clearTimeout(this.#timer);
    /** @type {Set<number>} */
    const refusing = new Set();
    try {
      for (let takes = this.#next(refusing); takes.length; takes = this.#next(refusing)) {
        if (!(await this.#post(takes))) refusing.add(takes[0].list);
        else if (!refusing.size) this.problem = "";
      }
    } catch (error) {
      this.problem = messageOf(error);
      this.#timer = window.setTimeout(() => this.send(), RETRY_MS);
    }
    this.#underWay = new Set();
    this.#isSending = false;
    this.onChange();
  }

  /** @param {Take[]} takes @returns {Promise<boolean>} false if they are refused; throws what may pass */
  async #post(takes) {
    this.#underWay = new Set(takes.map(({ key }) => key));
    try {
      const ids = await this.post(takes);
      takes.forEach(({ key }, i) => this.#ids.set(key, ids[i]));
    } catch (error) {
      if (!isLasting(error)) throw error;
      this.problem = messageOf(error);
      return false;
    }
    this.#keep(this.#waiting.filter((take) => !takes.includes(take)));
    return true;
  }

  /** The first, and those after it that go to the same place. @param {Set<number>} refusing lists to leave out */
  #next(refusing) {
    const waiting = this.#waiting.filter(({ list }) => !refusing.has(list));
    const [first] = waiting;
    const end = waiting.findIndex(({ list, merge }) => list !== first.list || merge !== first.merge);
    return waiting.slice(0, Math.min(MOST_AT_ONCE, end < 0 ? MOST_AT_ONCE : end));
  }

  /** @param {Take[]} waiting */
  #keep(waiting) {
    this.#waiting = waiting;
    for (const { key } of waiting) this.#own.add(key);
    const others = (load(KEPT_AS, readTakes).value ?? []).filter(({ key }) => !this.#own.has(key));
    const all = [...others, ...waiting];
    if (save(KEPT_AS, JSON.stringify(all))) return this.onChange();
    // Without their pictures there is room for thousands.
    save(KEPT_AS, JSON.stringify(all.map((take) => ({ ...take, entry: { ...take.entry, crop: "" } }))));
    this.onChange();
  }
}

/** @param {unknown} error */
function isLasting(error) {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {string} text @returns {Take[]} */
function readTakes(text) {
  return JSON.parse(text).filter((/** @type {any} */ take) => take?.key && take.list && take.entry);
}
