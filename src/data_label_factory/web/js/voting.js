/** @import {Reading} from "./types.js" */

const KEPT = 0.8; // of its weight a vote keeps at each further answer
const UNSURE_WEIGHT = 0.3;
const LEAD = 1.25; // a challenger must outweigh the name in office by this
const SURE = 0.5; // share of sure readings among those of the name, the newest counting most

/** Settles what a track is called: each answer votes, old votes fade, and a single odd answer changes nothing. */
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
    if (!leader || (vote !== leader && vote.weight > leader.weight * LEAD)) this.#leader = key;
  }

  /** The newest reading of the name in office. @returns {Reading} */
  get reading() {
    const vote = this.#votes.get(this.#leader);
    if (!vote) throw new Error("no votes yet");
    return vote.reading;
  }

  /** Whether it is believed; null when the server does not say. @returns {boolean | null} */
  get sure() {
    const vote = this.#votes.get(this.#leader);
    if (!vote) return false;
    return vote.reading.confident === null ? null : vote.sure >= SURE;
  }
}
