import { thumbnail } from "./api.js";
import { byId, flash, h, picture, setText } from "./dom.js";

/** @import {Guess, Item} from "./types.js" */

const FLASH_MS = 800;

/**
 * What a still picture may show, where nothing in it is sure. It is no track: it has no number, no price and no outline,
 * and counts nowhere. Only a name that is pressed is added.
 */
export class GuessPanel {
  word = "Deck";
  canTeach = false;
  #panel = byId("guess", HTMLDivElement);
  #names = byId("guess-names", HTMLUListElement);
  #teach = byId("guess-teach", HTMLButtonElement);
  #shown = "";

  /** @param {{onAdd: (item: Item) => void, onTeach: (guess: Guess) => void}} handlers */
  constructor(handlers) {
    this.handlers = handlers;
  }

  /** @param {Guess | null} guess */
  show(guess) {
    this.#panel.hidden = !guess;
    if (!guess) return;
    this.#teach.hidden = !this.canTeach;
    this.#teach.onclick = () => this.handlers.onTeach(guess);
    const shown = JSON.stringify([guess.items, this.word]);
    if (shown === this.#shown) return; // a press would be lost with its button
    this.#shown = shown;
    this.#names.replaceChildren(...guess.items.map((item) => h("li", {}, this.#button(item))));
  }

  /** @param {Item} item */
  #button(item) {
    const facts = [item.rarity, item.setCode].filter(Boolean).join(" · ");
    const name = h("span", {}, h("b", {}, item.name), facts ? h("small", {}, facts) : null);
    const told = h("span", { class: "soft" }, `+ ${this.word}`);
    const button = h("button", { type: "button", "aria-label": `It is ${item.name}: add to ${this.word}` });
    button.append(picture(thumbnail(item.refUrl, 120), ""), name, told);
    button.onclick = () => {
      flash(button, "added", FLASH_MS);
      this.handlers.onAdd(item);
    };
    return button;
  }
}

/** @param {Guess} guess */
export function spell(guess) {
  return `perhaps ${guess.items.map(({ name }) => name).join(" · ")}`;
}
