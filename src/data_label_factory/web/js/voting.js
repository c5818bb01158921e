/** @import {Reading} from "./types.js" */

const KEPT = 0.8; // a vote's weight after one more answer, as a fraction
const UNSURE_WEIGHT = 0.3;
const TAKEOVER = 1.25; // another name must outweigh the current one by this factor
const SURE = 0.5; // fraction of confident readings of the name, the newest counting most

/** Decides the name of a track: every answer votes, old votes fade, and a single odd answer changes nothing. */
export class NameVote {
  /** @type {Map<string, {weight: number, sure: number, reading: Reading}>} */
  #votes = new Map();
  #leader = "";

  /** @param {Reading} reading */
  add(reading) {
    for (const [key, vote] of this.#votes) {
      vote.weight *= KEPT;
      if (vote.weight < 0.01 && key !== this.#leader) this.#votes.delete(key);
    }
    const sure = reading.confident === false ? 0 : 1;
    const key = reading.item.key;
    const vote = this.#votes.get(key) ?? { weight: 0, sure, reading };
    vote.weight += sure ? 1 : UNSURE_WEIGHT;
    vote.sure = vote.sure * KEPT + sure * (1 - KEPT);
    vote.reading = reading;
    this.#votes.set(key, vote);
    const leader = this.#votes.get(this.#leader);
    if (!leader || (vote !== leader && vote.weight > leader.weight * TAKEOVER)) this.#leader = key;
  }

  /** The newest reading of the current name. @returns {Reading} */
  get reading() {
    const vote = this.#votes.get(this.#leader);
    if (!vote) throw new Error("no votes yet");
    return vote.reading;
  }

  /** Whether the name is confident; null if the server does not say. @returns {boolean | null} */
  get sure() {
    const vote = this.#votes.get(this.#leader);
    if (!vote) return false;
    return vote.reading.confident === null ? null : vote.sure >= SURE;
  }
}
