import { pictures } from "./api.js";
import { foldName } from "./names.js";

/** @import {Listed} from "./api.js" */
/** @import {Item} from "./types.js" */

const MOST_KEPT = 2000;

/** What reference files show. The server is asked once for each. */
export class Labels {
  /** @type {Map<string, Item | null>} */
  #known = new Map();
  /** @type {Map<string, Promise<Item | null>>} */
  #asked = new Map();

  /** @param {() => void} onNews */
  constructor(onNews) {
    this.onNews = onNews;
  }

  /** What is known by now; the rest is asked for. @param {string} filename @returns {Item | null} */
  find(filename) {
    this.ask(filename);
    return this.#known.get(filename) ?? null;
  }

  /** @param {string} filename @returns {Promise<Item | null>} null if the server does not know it */
  ask(filename) {
    if (this.#asked.size >= MOST_KEPT) [this.#asked, this.#known] = [new Map(), new Map()];
    const asked = this.#asked.get(filename) ?? this.#fetch(filename);
    this.#asked.set(filename, asked);
    return asked;
  }

  /** @param {string} filename @returns {Promise<Item | null>} */
  async #fetch(filename) {
    const found = await pictures(filename).catch(() => ({ items: [] }));
    const listed = found.items.find((item) => item.filename === filename);
    if (!listed) return null;
    const item = toItem(listed);
    this.#known.set(filename, item);
    this.onNews();
    return item;
  }
}

/** Items as they are told apart: those with another name, rarity or set code. @param {(Item | null)[]} items @param {Item} not @returns {Item[]} */
export function distinct(items, not) {
  const told = new Set([labelOf(not)]);
  return items.filter((item) => item !== null).filter((item) => !told.has(labelOf(item)) && told.add(labelOf(item)));
}

/** @param {Item} item */
function labelOf({ name, rarity, setCode }) {
  return JSON.stringify([name, rarity, setCode]);
}

/** @param {Listed} listed @returns {Item} */
export function toItem({ name, rarity, set_code, filename, ref_url }) {
  return { key: filename, name, rarity, setCode: set_code, refUrl: ref_url, refFilename: filename };
}

/** What tells an item from another, such as `SR · AB-002`; its file's name if nothing else does. @param {Item} item @param {Item} other */
export function difference(item, other) {
  const parts = [
    foldName(item.name) === foldName(other.name) ? "" : item.name,
    item.rarity === other.rarity ? "" : item.rarity || "no rarity",
    item.setCode === other.setCode ? "" : item.setCode || "no set code",
  ].filter(Boolean);
  return parts.join(" · ") || stem(item.refFilename);
}

/** @param {string} filename */
export function stem(filename) {
  return filename.replace(/^.*\//, "").replace(/\.\w+$/, "");
}
