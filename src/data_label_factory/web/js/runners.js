import { h, setText } from "./dom.js";

/** @import {Labels} from "./labels.js" */
/** @import {Item, Neighbor} from "./types.js" */

/**
 * What else a thing may be, as buttons. While the list is open its rows stay where they are, so that a press goes to
 * what was aimed at; only the scores change.
 */
export class Runners {
  element = h("ol", { class: "runners", hidden: true });
  #isOpen = false;
  /** @type {Map<string, {name: HTMLElement, score: HTMLElement, button: HTMLButtonElement}>} by file */
  #rows = new Map();

  /** @param {Labels} labels */
  constructor(labels) {
    this.labels = labels;
  }

  get isOpen() {
    return this.#isOpen;
  }

  /** @param {boolean} isOpen */
  set isOpen(isOpen) {
    this.#isOpen = isOpen;
    if (!isOpen) this.clear();
  }

  /** Another item: other runners-up. */
  clear() {
    this.#rows.clear();
    this.element.replaceChildren();
  }

  /** @param {Neighbor[]} runners @param {string} deed what a press does @param {((item: Item) => void)} onPick */
  show(runners, deed, onPick) {
    this.element.hidden = !this.#isOpen || !runners.length;
    if (this.element.hidden) return;
    if (!this.#rows.size) for (const runner of runners) this.#add(runner);
    for (const { filename, score } of runners) {
      const row = this.#rows.get(filename);
      if (row) setText(row.score, score.toFixed(2));
    }
    for (const [filename, { name, button }] of this.#rows) {
      const item = this.labels.find(filename) ?? asItem(runners, filename, name.textContent ?? "");
      setText(name, [item.name, item.rarity, item.setCode].filter(Boolean).join(" · "));
      button.setAttribute("aria-label", `It is ${name.textContent}: ${deed}`);
      button.onclick = () => onPick(item);
    }
  }

  /** @param {Neighbor} runner */
  #add(runner) {
    const [name, score] = [h("span", {}, runner.name), h("span", { class: "soft" })];
    const button = h("button", { type: "button" }, name, score);
    this.#rows.set(runner.filename, { name, score, button });
    this.element.append(h("li", {}, button));
  }
}

/** What an answer alone says of a runner-up. @param {Neighbor[]} runners @param {string} filename @param {string} shown @returns {Item} */
function asItem(runners, filename, shown) {
  const name = runners.find((runner) => runner.filename === filename)?.name ?? shown;
  return { key: filename, name, rarity: "", setCode: "", refUrl: "", refFilename: filename };
}
