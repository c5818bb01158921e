import { cover, drift, iou } from "./geometry.js";

/** @import {Point, Reading, Sighting} from "./types.js" */

const MAX_DRIFT = 0.6; // diagonals; a hand moves a card by less between two answers
const SAME_PLACE = 0.3; // of the smaller box; neighbours that lie askew overlap by less
// A hand in front of the camera hides a thing for a moment; who takes it away must not find its name there still.
const SURE_MS = 400;
const SHOWN_MS = 1500;
const REMEMBERED_MS = 2000;
const VOUCHED_MS = 2000; // doubtful readings of a sure name (glare, a tilt) keep it sure for so long

/**
 * @typedef {object} Track       as the page shows it
 * @property {number} id
 * @property {Point[]} quad
 * @property {Reading} reading
 * @property {boolean | null} sure  null if the server does not say
 * @property {number} seenAt     ms; when the frame that its quad is about was taken
 * @property {boolean} justSeen  it is not there any more, or hidden for longer than a moment
 */

/**
 * @typedef {object} Thing       what lies in a place, by one name
 * @property {number} id         0 before it is shown
 * @property {Sighting} sighting its newest
 * @property {number} hits       answers that contained it
 * @property {number} misses     answers without it since then
 * @property {number} seenAt     ms; when the newest frame that showed it was taken
 * @property {number} sureAt     of the newest sure reading since it was out of sight
 * @property {boolean} wasSure   at any time
 * @property {boolean} disputed  another name was read as surely in its place in the answer after or before
 * @property {boolean} ended     another thing lies in its place
 * @property {Set<Thing>} beside those seen in its place in the same answer as itself
 */

/**
 * Tracks things from answer to answer, for servers that do not. A thing has one name: only readings of that name keep it
 * or bring it back, and a sure reading of another name in its place is another thing.
 */
export class Tracker {
  /** @type {Thing[]} */
  #things = [];
  #nextId = 1;

  /** The number of tracks so far. */
  get ever() {
    return this.#nextId - 1;
  }

  /**
   * Add one answer. A name that is not confident is shown only once it has been seen twice; on a `still` picture, which
   * is not seen twice, at once.
   * @param {Sighting[]} sightings @param {number} now ms
   * @param {{taken?: number, still?: boolean}} [options] `taken`: when the frame was taken
   * @returns {Track[]} in order of id
   */
  update(sightings, now, { taken = now, still = false } = {}) {
    const seen = this.#see(sightings, taken);
    for (const thing of this.#things) if (!seen.has(thing)) thing.misses += 1;
    for (const thing of this.#things) if (thing.misses) dispute(thing, seen);
    this.#things = this.#things.filter((thing) => !isForgotten(thing, now));
    const shown = this.#things.filter((thing) => isShown(thing, now));
    for (const thing of seen) if (!thing.id && isShowable(thing, shown, still)) this.#name(thing);
    return this.at(now);
  }

  /** Whether tracks change though no answer comes: something is out of sight. */
  get isFading() {
    return this.#things.some((thing) => thing.id && thing.misses);
  }

  /** The tracks as they are at a time after the newest answer. @param {number} now ms @returns {Track[]} in order of id */
  at(now) {
    return this.#things
      .filter((thing) => isShown(thing, now))
      .sort((a, b) => a.id - b.id)
      .map((thing) => view(thing, now));
  }

  /** Forget all tracks, for another source. Ids are not reused. */
  reset() {
    this.#things = [];
  }

  /** @param {Sighting[]} sightings @param {number} taken @returns {Set<Thing>} those in the answer */
  #see(sightings, taken) {
    const pairs = this.#match(sightings);
    const seen = new Set(sightings.map((sighting) => pairs.get(sighting) ?? this.#begin(sighting, taken)));
    for (const [sighting, thing] of pairs) renew(thing, sighting, taken);
    for (const thing of seen) thing.beside = new Set([...seen].filter((other) => isInPlace(other, thing)));
    return seen;
  }

  /** @param {Sighting} sighting @param {number} taken @returns {Thing} */
  #begin(sighting, taken) {
    const sureAt = sighting.confident ? taken : -Infinity;
    const flags = { wasSure: Boolean(sighting.confident), disputed: false, ended: false };
    const thing = { id: 0, sighting, hits: 1, misses: 0, seenAt: taken, sureAt, ...flags, beside: new Set() };
    this.#things.push(thing);
    return thing;
  }

  /** @param {Sighting[]} sightings @returns {Map<Sighting, Thing>} of the same name, the nearest first */
  #match(sightings) {
    const scored = [];
    for (const thing of this.#things) {
      for (const sighting of sightings) {
        const far = drift(thing.sighting.box, sighting.box);
        if (far > MAX_DRIFT || !isSameItem(thing.sighting, sighting)) continue;
        scored.push({ thing, sighting, score: iou(thing.sighting.box, sighting.box) - far });
      }
    }
    scored.sort((a, b) => b.score - a.score);
    const pairs = new Map();
    const taken = new Set();
    for (const { thing, sighting } of scored) {
      if (taken.has(thing) || pairs.has(sighting)) continue;
      pairs.set(sighting, thing);
      taken.add(thing);
    }
    return pairs;
  }

  /** Give it an id: if it is sure, that of the same item seen elsewhere a moment ago. @param {Thing} thing */
  #name(thing) {
    const before = this.#things.find(
      (other) => other.id && other.misses && other.wasSure && isSameItem(other.sighting, thing.sighting),
    );
    if (before && thing.sighting.confident) {
      thing.id = before.id;
      this.#things = this.#things.filter((other) => other !== before);
    } else thing.id = this.#nextId++;
  }
}

/** @param {Thing} thing @param {Sighting} sighting @param {number} taken */
function renew(thing, sighting, taken) {
  const wasAway = thing.ended || (thing.misses > 0 && taken - thing.seenAt >= SURE_MS);
  if (wasAway) thing.sureAt = -Infinity;
  if (sighting.confident) thing.sureAt = taken;
  thing.wasSure ||= Boolean(sighting.confident);
  Object.assign(thing, { sighting, seenAt: taken, misses: 0, disputed: false, ended: false });
  thing.hits += 1;
}

/**
 * Another name that is read as surely in a thing's place ends it: at once if it was not sure or had been out of sight,
 * else at the second answer, and until then neither of the two is sure.
 * @param {Thing} thing that is not in the newest answer @param {Set<Thing>} seen those that are
 */
function dispute(thing, seen) {
  const rivals = [...seen].filter((other) => isVouched(other) && isRival(other, thing));
  if (!rivals.length) return;
  if (thing.misses === 1 && isKnown(thing)) for (const one of [thing, ...rivals]) one.disputed = true;
  else thing.ended = true;
  thing.sureAt = -Infinity;
}

/** @param {Thing} thing whether it bore its name surely, or unrated, when it was seen last */
function isKnown(thing) {
  return thing.sighting.confident === null || thing.seenAt - thing.sureAt < VOUCHED_MS;
}

/** @param {Thing} thing whether its newest reading is sure, or unrated */
function isVouched(thing) {
  return thing.sighting.confident !== false;
}

/** Whether one lies where the other was, and was not seen there together with it. @param {Thing} one @param {Thing} other */
function isRival(one, other) {
  return isInPlace(one, other) && !other.beside.has(one);
}

/** @param {Thing} one @param {Thing} other */
function isInPlace(one, other) {
  return one !== other && cover(one.sighting.box, other.sighting.box) >= SAME_PLACE;
}

/** Whether both name the same item, or near-duplicates of one. @param {Reading} a @param {Reading} b */
export function isSameItem(a, b) {
  if (a.item.key === b.item.key) return true;
  return a.twins.includes(b.item.refFilename) || b.twins.includes(a.item.refFilename);
}

/** Whether to give it an id. @param {Thing} thing in the newest answer @param {Thing[]} shown @param {boolean} still */
function isShowable(thing, shown, still) {
  if (thing.disputed || isVouched(thing)) return !thing.disputed;
  // A doubtful name does not cover one that was in its place a moment ago.
  return (still || thing.hits > 1) && !shown.some((other) => other.misses && isRival(thing, other));
}

/** @param {Thing} thing @param {number} now */
function isShown(thing, now) {
  return thing.id > 0 && !thing.ended && !isAway(thing, now, SHOWN_MS);
}

/** @param {Thing} thing @param {number} now */
function isForgotten(thing, now) {
  const isPassing = !thing.id && !isVouched(thing);
  return thing.misses > 0 && (isPassing || isAway(thing, now, REMEMBERED_MS));
}

/** A slow server's answers are far apart: one that lacks the thing is not enough. @param {Thing} thing @param {number} now @param {number} ms */
function isAway(thing, now, ms) {
  return thing.misses > 1 && now - thing.seenAt >= ms;
}

/** @param {Thing} thing @param {number} now @returns {Track} */
function view(thing, now) {
  const { id, sighting, disputed } = thing;
  const isLost = thing.misses > 0 && now - thing.seenAt >= SURE_MS;
  const justSeen = thing.misses > 0 && (isLost || disputed);
  const sure = justSeen || disputed ? false : sighting.confident === null ? null : isKnown(thing);
  return { id, quad: sighting.quad, reading: sighting, sure, justSeen, seenAt: thing.seenAt };
}
