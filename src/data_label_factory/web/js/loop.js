import { ApiError, recognize } from "./api.js";

/** @import {Sighting} from "./types.js" */

const RETRY_MS = [500, 1000, 2000, 3000];
const MIN_GAP_MS = 30; // leaves the page time to draw, however fast the answers are
const BUSY = new Set([429, 503]);

/**
 * @typedef {object} Answer
 * @property {Sighting[]} sightings
 * @property {Blob} frame      the frame that was sent
 * @property {number} taken    ms, when it was taken
 * @property {number} latency  ms, from the frame being sent
 * @property {number} own      ms that the page took to capture and encode the frame
 */

/**
 * Sends frame after frame, always the newest one, with at most one request under way. Keeps trying when the server is
 * gone.
 */
export class Loop {
  #generation = 0;
  #abort = new AbortController();

  /**
   * @param {object} parts
   * @param {() => Promise<Blob | null>} parts.takeFrame  null if there is no new frame
   * @param {() => string} parts.query
   * @param {(answer: Answer) => void} parts.onAnswer
   * @param {(error: ApiError) => void} parts.onError
   */
  constructor(parts) {
    this.parts = parts;
  }

  start() {
    this.stop();
    this.#run(this.#generation, this.#abort.signal);
  }

  stop() {
    this.#generation++;
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /** @param {number} generation @param {AbortSignal} signal */
  async #run(generation, signal) {
    let failures = 0;
    while (generation === this.#generation) {
      const begun = performance.now();
      const frame = await this.parts.takeFrame();
      if (generation !== this.#generation) return;
      if (!frame) {
        await pause(MIN_GAP_MS * 2);
        continue;
      }
      const sent = performance.now();
      try {
        const sightings = await recognize(frame, this.parts.query(), signal);
        if (generation !== this.#generation) return;
        failures = 0;
        const answer = { sightings, frame, taken: begun, latency: performance.now() - sent, own: sent - begun };
        this.parts.onAnswer(answer);
        await pause(MIN_GAP_MS);
      } catch (error) {
        if (generation !== this.#generation) return;
        const problem = error instanceof ApiError ? error : new ApiError(String(error), -1);
        this.parts.onError(problem);
        const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
        await pause(BUSY.has(problem.status) ? Math.min(10_000, Math.max(problem.waitMs, wait)) : wait);
      }
    }
  }
}

/** @param {number} ms @returns {Promise<void>} */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
