import { drift, iou } from "./geometry.js";
import { NameVote } from "./voting.js";

/** @import {Box, Point, Reading, Sighting} from "./types.js" */

const MISSES_KEPT = 6; // answers; a hand in front of the camera hides an item for about three
const MAX_DRIFT = 0.6;
const SAME_NAME = 0.5;

/**
 * @typedef {object} Track
 * @property {number} id
 * @property {Box} box
 * @property {Point[]} quad
 * @property {number} hits    answers that contained it
 * @property {number} misses  answers without it since then
 * @property {Reading} reading  decided by vote
 * @property {boolean | null} sure
 * @property {NameVote} vote
 */

/** Tracks items from answer to answer: by place first, by name if an item has moved far. */
export class Tracker {
  /** @type {Track[]} */
  #tracks = [];
  #nextId = 1;

  /** The number of tracks so far. */
  get ever() {
    return this.#nextId - 1;
  }

  /**
   * Add one answer. A name that is not confident is shown only once it has been seen twice; on a `still` picture, which
   * is not seen twice, at once.
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

  /** Forget all tracks, for another source. Ids are not reused. */
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
    // Another card in the same place is a new track, not a new name of the old one.
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

/** How likely the two are one item; 0 if there is no evidence. @param {Track} track @param {Sighting} sighting */
function affinity(track, sighting) {
  const overlap = iou(track.box, sighting.box);
  const near = drift(track.box, sighting.box) <= MAX_DRIFT;
  const named = sighting.confident !== null && track.reading.item.key === sighting.item.key;
  if (overlap > 0.1 || near) return overlap + 0.1 + (named ? SAME_NAME : 0);
  // Moved far between two answers: only a name that is confident in both counts, and less than any pair nearby.
  return named && track.sure && sighting.confident ? 0.01 : 0;
}
