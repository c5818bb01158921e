import { readAnswer } from "./answers.js";
import { PATIENCE_MS, place, recognize } from "./api.js";
import { ApiError } from "./apierror.js";
import { randomName } from "./random.js";

/** @import {Said} from "./answers.js" */

const SOCKET_CAPACITY = 2; // one that the server works on, one that waits for it

/**
 * @typedef {object} Waiting  a frame that was sent over the socket
 * @property {string} query
 * @property {(said: Said | null) => void} resolve
 * @property {(error: ApiError) => void} reject
 * @property {number} timer
 */

/**
 * Carries frames to the server. It begins with POST. Once an answer shows that the server keeps sessions, a WebSocket is
 * opened for the same session; a server or a proxy that refuses it is asked by POST for good.
 */
export class Wire {
  #session = randomName();
  #isRefused = false;
  /** @type {LiveSocket | null} */
  #socket = null;

  /** How many frames may be under way. */
  get capacity() {
    return this.#socket?.isOpen ? SOCKET_CAPACITY : 1;
  }

  /** Begin a session of its own, for another source. */
  reset() {
    this.#socket?.close();
    this.#socket = null;
    this.#session = randomName();
  }

  /**
   * @param {Blob} frame @param {string} query @param {AbortSignal} signal @param {boolean} lasting no picture of a
   *   camera: it belongs to no session
   * @returns {Promise<Said | null>} null if a newer frame overtook it; throws ApiError
   */
  async send(frame, query, signal, lasting) {
    if (lasting) return recognize(frame, query, "", signal);
    if (this.#socket?.isOpen) return this.#socket.send(frame, query);
    const session = this.#session;
    const said = await recognize(frame, query, session, signal);
    if (said.isTracked && session === this.#session && !this.#socket && !this.#isRefused) this.#connect(session);
    return said;
  }

  /** @param {string} session */
  #connect(session) {
    const socket = new LiveSocket(session, () => {
      if (!socket.wasOpen) this.#isRefused = true;
      if (this.#socket === socket) this.#socket = null;
    });
    this.#socket = socket;
  }
}

class LiveSocket {
  wasOpen = false;
  #sent = 0;
  #query = "";
  /** @type {Map<number, Waiting>} number of a frame → who waits for its answer, in the order of sending */
  #waiting = new Map();

  /** @param {string} session @param {() => void} onClose */
  constructor(session, onClose) {
    const url = new URL(place(`api/live?session=${session}`), location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.socket = new WebSocket(url);
    this.socket.onopen = () => (this.wasOpen = true);
    this.socket.onmessage = ({ data }) => this.#hear(data);
    this.socket.onclose = () => {
      onClose();
      for (const frame of this.#waiting.keys()) this.#fail(frame, new ApiError("The connection broke", 0));
    };
  }

  get isOpen() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** @param {Blob} frame @param {string} query @returns {Promise<Said | null>} */
  send(frame, query) {
    if (query !== this.#query) this.socket.send(JSON.stringify({ query }));
    this.#query = query;
    const number = this.#sent++;
    this.socket.send(frame);
    return new Promise((resolve, reject) => {
      const timer = window.setTimeout(() => this.close(), PATIENCE_MS);
      this.#waiting.set(number, { query, resolve, reject, timer });
    });
  }

  close() {
    this.socket.close();
  }

  /** @param {string} text */
  #hear(text) {
    const json = JSON.parse(text);
    for (const frame of [...this.#waiting.keys()]) if (frame < json.frame) this.#take(frame)?.resolve(null);
    if (json.status) {
      const wait = 1000 * Number(json.retry_after ?? 0) || 0;
      this.#fail(json.frame, new ApiError(String(json.detail), json.status, wait));
      return;
    }
    const waiting = this.#take(json.frame);
    if (!waiting) return;
    try {
      waiting.resolve(readAnswer(json, waiting.query));
    } catch (error) {
      waiting.reject(new ApiError(error instanceof Error ? error.message : String(error), -1));
    }
  }

  /** @param {number} frame */
  #take(frame) {
    const waiting = this.#waiting.get(frame);
    this.#waiting.delete(frame);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  /** @param {number} frame @param {ApiError} error */
  #fail(frame, error) {
    this.#take(frame)?.reject(error);
  }
}
