import { isOwnPath, itemKey } from "./deckfile.js";
import { corners } from "./geometry.js";
import { foldName } from "./names.js";
import { refUrlOf } from "./refurl.js";

/** @import {Box, Guess, Item, Neighbor, Point, Price, Sighting} from "./types.js" */

const MOST_GUESSED = 3;

/**
 * @typedef {object} Said  what an answer says
 * @property {Sighting[]} sightings
 * @property {Guess | null} guess
 * @property {boolean} isTracked  by the server, in a session
 */

/**
 * The JSON of `POST /api/falcon` → sightings. Servers that only detect send just `bbox_norm` and `area_fraction`; the
 * query is then the name. Invalid masks are left out.
 * @param {any} json @param {string} query @returns {Said} Throws an Error if it is not such an answer.
 */
export function readAnswer(json, query) {
  if (!json || !Array.isArray(json.masks))
    throw new Error("The server's answer has no masks. Is it an /api/falcon server?");
  const guessed = json.masks.filter(isGuess);
  const named = json.masks.filter((/** @type {any} */ mask) => !isGuess(mask));
  const sightings = named.map((/** @type {any} */ mask) => readMask(mask, query)).filter(Boolean);
  const isTracked = text(json.session) !== "" && sightings.every((/** @type {Sighting} */ { trackId }) => trackId > 0);
  return { sightings, guess: guessed.length ? readGuess(guessed[0]) : null, isTracked };
}

/** @param {any} mask */
function isGuess(mask) {
  return mask?.guess === true;
}

/** @param {any} mask @returns {Guess | null} its items by different names */
function readGuess(mask) {
  const quad = readQuad(mask.quad_norm);
  /** @type {Map<string, Item>} */
  const items = new Map();
  for (const near of Array.isArray(mask.top_k) ? mask.top_k : []) {
    const [name, file] = [text(near?.name), text(near?.filename)];
    const key = foldName(name);
    if (!name || !file || items.has(key)) continue;
    const [rarity, setCode] = [text(near.rarity), text(near.set_code)];
    items.set(key, { key: file, name, rarity, setCode, refUrl: refUrlOf(file), refFilename: file });
  }
  return quad && items.size ? { items: [...items.values()].slice(0, MOST_GUESSED), quad } : null;
}

/** @param {any} mask @param {string} query @returns {Sighting | null} */
function readMask(mask, query) {
  const box = readBox(mask?.bbox_norm);
  if (!box) return null;
  const named = text(mask.name) || text(mask.label).replace(/\?$/, "");
  // Whichever view of a thing fits best, the thing is its first one.
  const [best, first] = [text(mask.ref_filename), text(mask.first_view)];
  const variants = Array.isArray(mask.variants) ? mask.variants.map(text).filter(Boolean) : [];
  const twins = variants.map((/** @type {string} */ file) => (first && file === best ? first : file));
  const confident = typeof mask.confident === "boolean" ? mask.confident : null;
  return {
    item: readItem(mask, named || query || "item", twins),
    score: number(mask.score),
    margin: number(mask.margin),
    confident,
    runnersUp: Array.isArray(mask.top_k) ? mask.top_k.slice(1, 6).map(readNeighbor) : [],
    twins: twins.filter((/** @type {string} */ file) => file !== (first || best)),
    view: first && first !== best ? best : "",
    price: readPrice(mask.price),
    box,
    quad: readQuad(mask.quad_norm) ?? corners(box),
    trackId: Number.isInteger(mask.track_id) ? mask.track_id : 0,
    lost: 1000 * (number(mask.lost_seconds) ?? 0),
    row: Number.isInteger(mask.row) ? mask.row : null,
    column: Number.isInteger(mask.column) ? mask.column : null,
  };
}

/**
 * Of near-duplicate references, either may come first in an answer. They share one key: the first in the alphabet.
 * @param {any} mask @param {string} name @param {string[]} twins @returns {Item}
 */
function readItem(mask, name, twins) {
  const [rarity, setCode, first] = [text(mask.rarity), text(mask.set_code), text(mask.first_view)];
  const refFilename = first || text(mask.ref_filename);
  const ownUrl = isOwnPath(mask.ref_url) ? mask.ref_url : "";
  const refUrl = first ? refUrlOf(first) : ownUrl;
  const key = [...twins].sort()[0] || refFilename || itemKey(name, rarity, setCode);
  return { key, name, rarity, setCode, refUrl, refFilename };
}

/** @param {any} value @returns {Box | null} */
function readBox(value) {
  const [x1, y1, x2, y2] = [value?.x1, value?.y1, value?.x2, value?.y2].map(number);
  if (x1 === null || y1 === null || x2 === null || y2 === null) return null;
  return x2 > x1 && y2 > y1 ? { x1, y1, x2, y2 } : null;
}

/** @param {any} value @returns {Point[] | null} */
function readQuad(value) {
  const isQuad = Array.isArray(value) && value.length === 4 && value.every(isPoint);
  return isQuad ? value.map(([x, y]) => [x, y]) : null;
}

/** @param {any} value */
function isPoint(value) {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);
}

/** @param {any} value @returns {Neighbor} */
function readNeighbor(value) {
  return { name: text(value?.name), filename: text(value?.filename), score: number(value?.score) ?? 0 };
}

/** @param {any} value @returns {Price | null} */
function readPrice(value) {
  if (!value) return null;
  const [usd, amount] = [number(value.usd_median), number(value.median)];
  if (usd === null && amount === null) return null;
  const [currency, date, rarity] = [text(value.currency), text(value.scraped_at), text(value.rarity)];
  return { usd, amount, currency, date, rarity };
}

/** @param {any} value @returns {number | null} */
function number(value) {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** @param {any} value @returns {string} */
function text(value) {
  return typeof value === "string" ? value : "";
}
