import { byId, h, setText } from "./dom.js";

const WINDOW_MS = 5000;

/** What the page counts and measures. */
export class StatsPanel {
  #frames = 0;
  #total = 0;
  #own = 0;
  /** @type {number[]} */
  #recent = [];
  #lastError = "none";
  #upstream = location.host;
  #list = byId("stats", HTMLDListElement);
  /** @type {Map<string, HTMLElement>} */
  #cells = new Map();

  /** @param {number} latency ms @param {number} own ms @param {number} tracksEver */
  count(latency, own, tracksEver) {
    const now = performance.now();
    this.#frames += 1;
    this.#total += latency;
    this.#own += own;
    this.#recent = [...this.#recent.filter((time) => now - time < WINDOW_MS), now];
    const seconds = Math.max(0.5, (now - this.#recent[0]) / 1000);
    const rate = this.#recent.length > 1 ? (this.#recent.length - 1) / seconds : 0;
    this.#cell("Frames answered", String(this.#frames));
    this.#cell("Answers per second", rate.toFixed(1));
    this.#cell("Latency now", `${latency.toFixed(0)} ms`);
    this.#cell("Latency mean", `${(this.#total / this.#frames).toFixed(0)} ms`);
    this.#cell("Page time mean", `${(this.#own / this.#frames).toFixed(0)} ms`);
    this.#cell("Tracks ever", String(tracksEver));
    setText(byId("stats-brief", HTMLSpanElement), `${rate.toFixed(1)}/s · ${latency.toFixed(0)} ms`);
    this.#rest();
  }

  /** @param {string} message */
  error(message) {
    this.#lastError = `${message} (${new Date().toLocaleTimeString()})`;
    this.#rest();
  }

  /** @param {string} text */
  upstream(text) {
    this.#upstream = text;
    this.#rest();
  }

  #rest() {
    this.#cell("Server", this.#upstream);
    this.#cell("Last error", this.#lastError);
  }

  /** @param {string} name @param {string} value */
  #cell(name, value) {
    let cell = this.#cells.get(name);
    if (!cell) {
      cell = h("dd", {});
      this.#cells.set(name, cell);
      this.#list.append(h("div", {}, h("dt", {}, name), cell));
    }
    setText(cell, value);
  }
}
