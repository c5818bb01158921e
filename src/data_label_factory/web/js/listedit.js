import { ApiError } from "./apierror.js";
import { Conflict } from "./listsapi.js";

/** @import {ListEntry} from "./listsapi.js" */

const MOST_TRIES = 8;
const MOST_COPIES = 9999;

/** @typedef {(known: ListEntry, changes: Partial<ListEntry>) => Promise<ListEntry>} Change  throws a Conflict */

/** What somebody else has changed, too, and to what. */
export class Clash extends ApiError {
  /** @param {ListEntry} current @param {(keyof ListEntry)[]} fields */
  constructor(current, fields) {
    const said = fields.map((field) => `${field} is ${current[field] ?? "empty"} now`).join(", ");
    super(`Somebody else changed ${current.name}, too: ${said}. Look again, then save.`, 412);
    this.current = current;
  }
}

/**
 * Change fields of an entry. What somebody else has changed meanwhile stays, if it is another field.
 * @param {Change} change @param {ListEntry} known as the user saw it @param {Partial<ListEntry>} changes
 * @returns {Promise<ListEntry>} as it is now; throws a Clash if it is the same field, an ApiError if the entry is gone
 */
export async function edit(change, known, changes) {
  const fields = /** @type {(keyof ListEntry)[]} */ (Object.keys(changes));
  return insist(change, known, (current) => {
    const clashing = fields.filter((field) => current[field] !== known[field] && current[field] !== changes[field]);
    if (clashing.length) throw new Clash(current, clashing);
    return changes;
  });
}

/**
 * Add copies to those that are there by now, or take some away.
 * @param {Change} change @param {ListEntry} known @param {number} copies
 * @returns {Promise<ListEntry | null>} null if none would be left: nothing was changed then
 */
export async function addCopies(change, known, copies) {
  let isLast = false;
  const changed = await insist(change, known, ({ quantity }) => {
    isLast = quantity + copies < 1;
    return isLast ? null : { quantity: Math.min(MOST_COPIES, quantity + copies) };
  });
  return isLast ? null : changed;
}

/** @param {Change} change @param {ListEntry} known @param {(current: ListEntry) => Partial<ListEntry> | null} say null: change nothing */
async function insist(change, known, say) {
  let current = known;
  for (let tries = 1; ; tries++) {
    const changes = say(current);
    if (!changes) return current;
    try {
      return await change(current, changes);
    } catch (error) {
      if (!(error instanceof Conflict) || tries === MOST_TRIES) throw error;
      if (!error.current) throw new ApiError(`${known.name} was taken out meanwhile.`, 410);
      current = error.current;
    }
  }
}
