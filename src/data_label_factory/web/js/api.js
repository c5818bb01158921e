import { readAnswer } from "./answers.js";
import { ApiError } from "./apierror.js";

/** @import {Said} from "./answers.js" */
/** @import {Point} from "./types.js" */

export const PATIENCE_MS = 20_000;
const MOST_WORDS = 200; // characters of a search

// The page is <root>canvas/live, wherever a reverse proxy has put the root.
const ROOT = new URL(document.baseURI).pathname.replace(/canvas\/.*$/, "");

/** @param {string} path from the server's root @returns {string} */
export function place(path) {
  return ROOT + path.replace(/^\//, "");
}

/** A thumbnail of a reference about `width` px wide. @param {string} refUrl @param {number} width */
export function thumbnail(refUrl, width) {
  return `${place(refUrl)}?w=${width}`;
}

/**
 * A picture that belongs to no session is worth a guess.
 * @param {Blob} frame @param {string} query @param {string} session empty: none @param {AbortSignal} signal @returns {Promise<Said>}
 */
export async function recognize(frame, query, session, signal) {
  const fields = { image: frame, query, ...(session ? { session } : { guess: "1" }) };
  return readAnswer(await send("api/falcon", fields, signal), query);
}

/** The state of the server. Other kinds of servers do not have this. @returns {Promise<any>} */
export function info() {
  return ask("api/info");
}

/** What a phone has to open; an empty `link` without --lan. @returns {Promise<any>} */
export function phone() {
  return ask("api/phone");
}

/** @param {number} limit @returns {Promise<any[]>} */
export async function topPrices(limit) {
  const { top } = await ask(`api/top-prices?limit=${limit}`);
  return Array.isArray(top) ? top : [];
}

/**
 * @typedef {object} Listed  an item of the collection, or one of its pictures
 * @property {string} label
 * @property {string} name
 * @property {string} set_code
 * @property {string} rarity
 * @property {string} filename
 * @property {string} ref_url
 */

/** Items by words of their names. @param {string} words @returns {Promise<{items: Listed[], total: number}>} */
export function items(words) {
  return ask(`api/items?limit=50&views=0&q=${encodeURIComponent(words)}`);
}

/** All pictures, further views too, by words. @param {string} words @returns {Promise<{items: Listed[], total: number}>} */
export function pictures(words) {
  return ask(`api/items?limit=1000&q=${encodeURIComponent(words.slice(0, MOST_WORDS))}`);
}

/** Take a picture out of the collection. @param {string} filename */
export function removePicture(filename) {
  return ask(`api/items/${filename.split("/").map(encodeURIComponent).join("/")}`, { method: "DELETE" });
}

/** @param {Blob} frame @param {Point[]} quad @param {{name: string, set_code: string, rarity: string}} label */
export function addItem(frame, quad, label) {
  return send("api/items", { image: frame, quad_norm: JSON.stringify(quad), ...label });
}

/** @param {Blob} frame @param {Point[]} quad @param {string} filename */
export function addView(frame, quad, filename) {
  return send("api/feedback", { image: frame, quad_norm: JSON.stringify(quad), filename });
}

/** @param {string} path @param {Record<string, string | Blob>} fields @param {AbortSignal} [signal] */
function send(path, fields, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Blob) body.append(name, value, "frame.jpg");
    else body.append(name, value);
  }
  return ask(path, { method: "POST", body, signal });
}

/** @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
async function ask(path, options = {}) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const signal = options.signal ? AbortSignal.any([patience, options.signal]) : patience;
  let response;
  try {
    response = await fetch(place(path), { ...options, signal });
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new ApiError(late ? "The server does not answer" : "The server cannot be reached", 0);
  }
  const json = await response.json().catch(() => null);
  if (response.ok && json !== null) return json;
  const detail = typeof json?.detail === "string" ? json.detail : `The server answered ${response.status}`;
  throw new ApiError(detail, response.status, 1000 * Number(response.headers.get("Retry-After") ?? 0) || 0);
}
