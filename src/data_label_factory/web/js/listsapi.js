import { PATIENCE_MS, place } from "./api.js";
import { ApiError } from "./apierror.js";

/** The lists of the server. Every function throws an ApiError that says what went wrong; see docs/lists.md. */

/**
 * @typedef {{currency: string, amount: number, copies: number}} Sum
 * @typedef {object} List
 * @property {number} id
 * @property {string} name
 * @property {number} version
 * @property {number} entries
 * @property {number} copies
 * @property {number} review
 * @property {Sum[]} totals
 *
 * @typedef {{item: string, name: string, set_code: string, rarity: string}} Candidate
 *
 * @typedef {object} ListEntry
 * @property {number} id
 * @property {number} version
 * @property {"sure" | "review"} state
 * @property {string} item       file name of its reference picture, or empty
 * @property {string} name
 * @property {string} set_code
 * @property {string} rarity
 * @property {string} finish
 * @property {string} condition
 * @property {string} language
 * @property {number} quantity
 * @property {number | null} price
 * @property {string} currency
 * @property {string} note
 * @property {string} page
 * @property {number | null} row
 * @property {number | null} column
 * @property {Candidate[]} candidates
 * @property {string} crop_url
 *
 * @typedef {{entries: ListEntry[], total: number, version: number, next: string | null}} Page
 * @typedef {{id: string, title: string, suffix: string, reads: boolean, writes: boolean, about: string}} Format
 * @typedef {object} Step
 * @property {number} id
 * @property {string} kind
 * @property {string} at
 * @property {string} device
 * @property {number | null} undoes
 * @property {number | null} undone_by
 * @property {number} changed
 * @property {{before: {name: string} | null, after: {name: string} | null}[]} changes
 */

/** What the server answers to an edit of something that somebody else has changed. */
export class Conflict extends ApiError {
  /** @param {string} message @param {ListEntry | null} current null: it is gone */
  constructor(message, current) {
    super(message, 412);
    this.current = current;
  }
}

const DEVICE = matchMedia("(pointer: coarse)").matches ? "phone" : "computer";

/** @returns {Promise<{lists: List[], can_write: boolean}>} */
export function allLists() {
  return json("api/lists");
}

/** @param {string} name @returns {Promise<List>} */
export function makeList(name) {
  return json("api/lists", "POST", { name });
}

/**
 * A list if it is another than before.
 * @param {number} id @param {string} etag empty: in any case @returns {Promise<{list: List, etag: string} | null>}
 */
export async function changedList(id, etag) {
  const response = await send(`api/lists/${id}`, { headers: etag ? { "If-None-Match": etag } : {} });
  if (response.status === 304) return null;
  return { list: await read(response), etag: response.headers.get("ETag") ?? "" };
}

/** @param {number} id @param {{name?: string, deleted?: boolean}} changes @returns {Promise<List>} */
export function changeList(id, changes) {
  return json(`api/lists/${id}`, "PATCH", changes);
}

/** It can be brought back. @param {number} id @returns {Promise<any>} */
export function deleteList(id) {
  return json(`api/lists/${id}`, "DELETE");
}

/** @param {number} id @param {{q: string, sort: string, state: string, limit: number, cursor: string}} which @returns {Promise<Page>} */
export function entries(id, which) {
  const given = Object.entries(which).filter(([, value]) => value);
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return json(`api/lists/${id}/entries?${query}`);
}

/** @param {number} id @param {object[]} added @param {boolean} merge @returns {Promise<{entries: (ListEntry & {removed?: boolean})[]}>} */
export function addEntries(id, added, merge) {
  return json(`api/lists/${id}/entries`, "POST", { entries: added, merge });
}

/** @param {number} id @param {number} entry @returns {Promise<ListEntry>} */
export function oneEntry(id, entry) {
  return json(`api/lists/${id}/entries/${entry}`);
}

/** Throws a Conflict if it is another than `known`. @param {number} id @param {ListEntry} known @param {Partial<ListEntry>} changes @returns {Promise<ListEntry>} */
export function changeEntry(id, known, changes) {
  return json(`api/lists/${id}/entries/${known.id}`, "PATCH", changes, known.version);
}

/** Throws a Conflict if it is another than `known`. @param {number} id @param {ListEntry} known @returns {Promise<{step: number}>} */
export function removeEntry(id, known) {
  return json(`api/lists/${id}/entries/${known.id}`, "DELETE", undefined, known.version);
}

/** @param {number} id @param {number} before a step, 0 for the newest @returns {Promise<{steps: Step[], next: number | null}>} */
export function history(id, before) {
  return json(`api/lists/${id}/history?limit=50${before ? `&before=${before}` : ""}`);
}

/** @param {number} id @param {number} step @returns {Promise<any>} */
export function undoStep(id, step) {
  return json(`api/lists/${id}/undo`, "POST", step ? { step } : {});
}

/** @returns {Promise<{formats: Format[]}>} */
export function formats() {
  return json("api/list-formats");
}

/** What a file would lose. @param {number} id @param {string} format @returns {Promise<{rows: number, warnings: string[], filename: string}>} */
export function checkExport(id, format) {
  return json(`${exportPath(id, format)}&check=1`);
}

/** @param {number} id @param {string} format */
export function exportPath(id, format) {
  return `api/lists/${id}/export?format=${encodeURIComponent(format)}`;
}

/**
 * @param {number} id @param {Blob} file @param {string} name @param {string} format @param {boolean} merge
 * @returns {Promise<{added: number, merged: number, skipped: {line: number, reason: string}[], notes: string[]}>}
 */
export async function importFile(id, file, name, format, merge) {
  const body = new FormData();
  body.append("file", file, name);
  body.append("format", format);
  if (merge) body.append("merge", "1");
  return read(await send(`api/lists/${id}/import`, { method: "POST", body }));
}

/** @param {string} path @param {string} [method] @param {object} [body] @param {number} [version] @returns {Promise<any>} */
async function json(path, method = "GET", body, version) {
  /** @type {Record<string, string>} */
  const headers = { "X-Device": DEVICE };
  if (body) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  return read(await send(path, { method, headers, body: body && JSON.stringify(body) }));
}

/** @param {string} path @param {RequestInit} options */
async function send(path, options) {
  try {
    return await fetch(place(path), { ...options, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new ApiError("The server cannot be reached", 0);
  }
}

/** @param {Response} response */
async function read(response) {
  const said = await response.json().catch(() => null);
  if (response.ok && said !== null) return said;
  const detail = typeof said?.detail === "string" ? said.detail : `The server answered ${response.status}`;
  if (response.status === 412) throw new Conflict(detail, said?.current ?? null);
  throw new ApiError(detail, response.status);
}
