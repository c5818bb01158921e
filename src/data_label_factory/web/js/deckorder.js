import { foldName } from "./names.js";

/** @import {Entry} from "./deck.js" */

/** Which entries of the deck are shown, and in which order. */

const TEXT = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** What the deck can be sorted by, the first being the usual. @type {readonly {id: string, name: string}[]} */
export const ORDERS = [
  { id: "newest", name: "Newest first" },
  { id: "name", name: "Name" },
  { id: "price", name: "Price, highest first" },
  { id: "count", name: "Most copies" },
  { id: "set", name: "Set code" },
];

/**
 * @param {readonly Entry[]} entries the newest last @param {string} words all of them must occur
 * @param {string} order an id of ORDERS @returns {Entry[]}
 */
export function arrange(entries, words, order) {
  const wanted = foldName(words).split(" ").filter(Boolean);
  const found = entries.filter(({ name, setCode, rarity }) => {
    const text = foldName(`${name} ${setCode} ${rarity}`);
    return wanted.every((word) => text.includes(word));
  });
  found.reverse();
  const compare = COMPARISONS[order];
  return compare ? found.sort(compare) : found;
}

/** @type {Record<string, (a: Entry, b: Entry) => number>} */
const COMPARISONS = {
  name: (a, b) => TEXT.compare(a.name, b.name) || TEXT.compare(a.setCode, b.setCode),
  price: (a, b) => worth(b) - worth(a),
  count: (a, b) => b.count - a.count,
  set: (a, b) => Number(!a.setCode) - Number(!b.setCode) || TEXT.compare(a.setCode, b.setCode),
};

/** Without a rate to USD, its own amount; what has no price comes last. @param {Entry} entry */
function worth({ cents, amount }) {
  return cents ?? (amount === null ? -1 : 100 * amount);
}
