import { ApiError } from "./apierror.js";

/** @import {Said} from "./answers.js" */

const RETRY_MS = [500, 1000, 2000, 3000];
const BUSY = new Set([429, 503]);
const STILL_GAP_MS = 500;
const STALE_MS = 100; // a packed frame that has waited for longer is packed anew
const SILENT_MS = 3000; // slow machines need a second
const SPARE_MS = 3;
const LEARNED = 0.25; // weight of the newest time in a mean
const CAMERA_MS = 33; // between two frames, before any was seen

/**
 * @typedef {object} Frame
 * @property {Blob} picture     as it is sent
 * @property {number} taken     ms
 *
 * @typedef {object} Answer
 * @property {Said} said
 * @property {Frame} frame     the frame that was sent
 * @property {number} latency  ms, from the frame being sent
 * @property {number} own      ms that the page took to capture and encode the frame
 */

/**
 * Sends frame after frame. While the server works on one, the next is packed: as late as possible, so that it is fresh, yet
 * early enough that the server need not wait. Where nothing moves, a few frames are enough. Keeps trying when the server
 * is gone.
 */
export class Loop {
  #generation = 0;
  #abort = new AbortController();
  /** @type {(Frame & {own: number}) | null} */
  #packed = null;
  #isPacking = false;
  #underWay = 0;
  #failures = 0;
  #pausedUntil = 0;
  #sentAt = -Infinity;
  #begunAt = 0; // when the server can have begun with the frame that it works on
  #tickedAt = 0;
  #mean = { work: 0, pack: 15, camera: CAMERA_MS };

  /**
   * @param {object} parts
   * @param {() => Promise<Frame | null>} parts.takeFrame  null if there is no new frame
   * @param {(picture: Blob, signal: AbortSignal) => Promise<Said | null>} parts.send null if a newer frame overtook it
   * @param {() => number} parts.capacity                  how many frames may be under way
   * @param {(now: number) => boolean} parts.isStill       nothing has moved for a while
   * @param {(answer: Answer) => void} parts.onAnswer
   * @param {(error: ApiError) => void} parts.onError
   * @param {() => number} [parts.clock]                   ms
   */
  constructor(parts) {
    this.parts = parts;
    this.clock = parts.clock ?? (() => performance.now());
  }

  start() {
    this.stop();
    this.tick();
  }

  stop() {
    this.#generation++;
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#packed = null;
    this.#isPacking = false;
    [this.#underWay, this.#failures, this.#pausedUntil, this.#sentAt] = [0, 0, 0, -Infinity];
  }

  /** Whether the server has worked on a frame without a word for longer than it usually does. */
  get isSilent() {
    return this.#underWay > 0 && this.clock() - this.#begunAt > Math.max(SILENT_MS, 2 * this.#mean.work);
  }

  /** The camera has shown another frame. */
  see() {
    const now = this.clock();
    this.#learn("camera", Math.min(200, now - this.#tickedAt));
    this.#tickedAt = now;
    this.tick();
  }

  /** Pack a frame if it is time to. */
  tick() {
    if (!this.#isPacking && this.#isDue(this.clock())) this.#pack(this.#generation);
  }

  /** @param {number} now */
  #isDue(now) {
    if (now < this.#pausedUntil) return false;
    if (this.parts.isStill(now) && now - this.#sentAt < STILL_GAP_MS) return false;
    if (this.#packed) return now - this.#packed.taken > STALE_MS;
    if (this.#underWay !== 1) return this.#underWay === 0;
    const { work, pack, camera } = this.#mean;
    return now + camera + pack + SPARE_MS >= this.#begunAt + work;
  }

  /** @param {number} generation */
  async #pack(generation) {
    const begun = this.clock();
    this.#isPacking = true;
    const frame = await this.parts.takeFrame();
    if (generation !== this.#generation) return;
    this.#isPacking = false;
    if (!frame) return;
    const own = this.clock() - begun;
    this.#learn("pack", own);
    this.#packed = { ...frame, own };
    this.#send(generation);
  }

  /** @param {number} generation */
  #send(generation) {
    const frame = this.#packed;
    if (!frame || this.#underWay >= this.parts.capacity()) return;
    this.#packed = null;
    const sent = (this.#sentAt = this.clock());
    if (!this.#underWay++) this.#begunAt = sent;
    this.parts.send(frame.picture, this.#abort.signal).then(
      (said) => generation === this.#generation && this.#hear(frame, said, sent),
      (error) => generation === this.#generation && this.#fail(error),
    );
  }

  /** @param {Frame & {own: number}} frame @param {Said | null} said @param {number} sent */
  #hear(frame, said, sent) {
    this.#underWay--;
    if (!said) return;
    const now = this.clock();
    this.#failures = 0;
    this.#learn("work", now - this.#begunAt);
    this.#begunAt = now;
    this.#send(this.#generation);
    this.tick();
    this.parts.onAnswer({ said, frame, latency: now - sent, own: frame.own });
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#underWay--;
    const problem = error instanceof ApiError ? error : new ApiError(String(error), -1);
    const shortest = RETRY_MS[Math.min(this.#failures++, RETRY_MS.length - 1)];
    const wait = BUSY.has(problem.status) ? Math.min(10_000, Math.max(problem.waitMs, shortest)) : shortest;
    this.#packed = null;
    this.#pausedUntil = this.clock() + wait;
    setTimeout(() => this.tick(), wait + 1);
    this.parts.onError(problem);
  }

  /** @param {"work" | "pack" | "camera"} what @param {number} time ms */
  #learn(what, time) {
    this.#mean[what] += LEARNED * (time - this.#mean[what]);
  }
}
