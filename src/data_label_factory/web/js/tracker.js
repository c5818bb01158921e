import { drift, iou } from "./geometry.js";
import { NameVote } from "./voting.js";

/** @import {Box, Point, Reading, Sighting} from "./types.js" */

const MISSES_KEPT = 6; // answers without it; a hand before the camera takes about three
const DRIFT_MOST = 0.6;
const SAME_NAME = 0.5;

/**
 * @typedef {object} Track
 * @property {number} id
 * @property {Box} box
 * @property {Point[]} quad
 * @property {number} hits    answers that showed it
 * @property {number} misses  answers since that did not
 * @property {Reading} reading  settled by vote
 * @property {boolean | null} sure
 * @property {NameVote} vote
 */

/** Carries identities from answer to answer: by place first, by name where something has moved far. */
export class Tracker {
  /** @type {Track[]} */
  #tracks = [];
  #nextId = 1;

  /** How many there have ever been. */
  get ever() {
    return this.#nextId - 1;
  }

  /**
   * Take in one answer. A name seen once and unsure is not shown yet: it is in no result until seen again, unless
   * `still`, when there is no second look.
   * @param {Sighting[]} sightings @param {{still?: boolean}} [options]
   * @returns {Track[]} in order of id
   */
  update(sightings, { still = false } = {}) {
    const pairs = this.#match(sightings);
    /** @type {Track[]} */
    const kept = [];
    for (const track of this.#tracks) {
      const sighting = pairs.get(track);
      if (sighting) this.#see(track, sighting);
      else track.misses += 1;
      const patience = track.hits > 1 || track.sure !== false ? MISSES_KEPT : 0;
      if (track.misses <= patience) kept.push(track);
    }
    const matched = new Set(pairs.values());
    for (const sighting of sightings) if (!matched.has(sighting)) kept.push(this.#begin(sighting));
    this.#tracks = kept;
    for (const track of kept) {
      if (!track.id && (still || track.hits > 1 || track.sure !== false)) track.id = this.#nextId++;
    }
    return kept.filter((track) => track.id).sort((a, b) => a.id - b.id);
  }

  /** Forget what is in view, for another source; ids go on. */
  reset() {
    this.#tracks = [];
  }

  /** @param {Sighting[]} sightings @returns {Map<Track, Sighting>} */
  #match(sightings) {
    const scored = [];
    for (const track of this.#tracks) {
      for (const sighting of sightings) {
        const score = affinity(track, sighting);
        if (score > 0) scored.push({ track, sighting, score });
      }
    }
    scored.sort((a, b) => b.score - a.score);
    const pairs = new Map();
    const taken = new Set();
    for (const { track, sighting } of scored) {
      if (pairs.has(track) || taken.has(sighting)) continue;
      pairs.set(track, sighting);
      taken.add(sighting);
    }
    return pairs;
  }

  /** @param {Track} track @param {Sighting} sighting */
  #see(track, sighting) {
    const before = { key: track.reading.item.key, sure: track.sure };
    track.vote.add(sighting);
    track.reading = track.vote.reading;
    track.sure = track.vote.sure;
    track.box = sighting.box;
    track.quad = sighting.quad;
    track.hits += 1;
    track.misses = 0;
    // Another card laid where one lay: a new thing, not a new name of the old one.
    if (before.sure && track.sure && before.key !== track.reading.item.key) track.id = this.#nextId++;
  }

  /** @param {Sighting} sighting @returns {Track} */
  #begin(sighting) {
    const vote = new NameVote();
    vote.add(sighting);
    const { box, quad } = sighting;
    return { id: 0, box, quad, hits: 1, misses: 0, reading: vote.reading, sure: vote.sure, vote };
  }
}

/** How much speaks for the two being one thing; 0 when nothing does. @param {Track} track @param {Sighting} sighting */
function affinity(track, sighting) {
  const overlap = iou(track.box, sighting.box);
  const near = drift(track.box, sighting.box) <= DRIFT_MOST;
  const named = sighting.confident !== null && track.reading.item.key === sighting.item.key;
  if (overlap > 0.1 || near) return overlap + 0.1 + (named ? SAME_NAME : 0);
  // Moved far between two answers: only a name that both are sure of can tell, and any pair nearby goes first.
  return named && track.sure && sighting.confident ? 0.01 : 0;
}
