import { thumbnail } from "./api.js";
import { byId, flash, h, picture, setText } from "./dom.js";
import { Hold } from "./hold.js";
import { priceTag } from "./pricetag.js";

/** @import {Item, Neighbor, Price} from "./types.js" */
/** @import {Track} from "./tracker.js" */

const FLASH_MS = 800;

/**
 * @typedef {object} Handlers
 * @property {(item: Item, price: Price | null) => void} onAdd
 * @property {(track: Track) => void} onWrong
 * @property {(key: string) => number} copies  the number of copies in the deck
 */

/**
 * The list of tracks. A track keeps its element, so that neither a press nor the focus is lost; and while somebody is
 * about to press, no row moves: what is gone leaves an empty row, what is new comes below.
 */
export class TrackPanel {
  word = "Deck";
  canCorrect = false;
  /** What an empty list says. */
  hint = "";
  #list = byId("tracks", HTMLUListElement);
  #count = byId("track-count", HTMLSpanElement);
  #hint = byId("no-tracks", HTMLParagraphElement);
  /** @type {Map<number, TrackCard>} */
  #cards = new Map();
  /** @type {Track[]} */
  #tracks = [];
  #hold = new Hold(this.#list, () => this.refresh());

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
  }

  /** @param {Track[]} tracks */
  show(tracks) {
    this.#tracks = tracks;
    const isHeld = this.#hold.isOn;
    if (isHeld) for (const card of this.#cards.values()) card.freeze();
    const ids = new Set(tracks.map((track) => track.id));
    for (const [id, card] of this.#cards) if (!ids.has(id)) this.#drop(id, card, isHeld);
    for (const track of tracks) {
      let card = this.#cards.get(track.id);
      if (!card) {
        card = new TrackCard(this.handlers);
        this.#cards.set(track.id, card);
        this.#list.append(card.element);
      }
      card.show(track, this.word, this.canCorrect);
      if (!isHeld) card.thaw();
    }
    setText(this.#count, String(tracks.length));
    setText(this.#hint, this.hint);
    this.#hint.hidden = !this.hint || this.#cards.size > 0;
  }

  /** @param {number} id @param {TrackCard} card @param {boolean} isHeld */
  #drop(id, card, isHeld) {
    if (isHeld) return card.showGone();
    card.element.remove();
    this.#cards.delete(id);
  }

  refresh() {
    this.show(this.#tracks);
  }
}

class TrackCard {
  element = h("li", { class: "track", tabIndex: -1 });
  #key = "";
  #priceShown = "";
  #runnersOpen = false;
  /** @type {Neighbor[]} */
  #neighbors = [];
  #thumb = h("div");
  #name = h("h3");
  #chip = h("span", { class: "chip" });
  #id = h("span", { class: "id" });
  #facts = h("span");
  #twins = h("p", { class: "soft note", hidden: true });
  #price = h("div");
  #score = meter("score");
  #margin = meter("margin");
  #bars = h("div", { class: "bars" }, this.#score.element, this.#margin.element);
  #add = h("button", { type: "button", class: "add primary" });
  #more = h("button", { type: "button", class: "link", "aria-expanded": "false" }, "Runners-up");
  #wrong = h("button", { type: "button", class: "link" }, "That’s wrong …");
  #runners = h("ol", { class: "runners", hidden: true });

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    const facts = h("p", { class: "facts" }, this.#chip, this.#id, this.#facts);
    const head = h("div", {}, this.#name, facts, this.#twins, this.#price);
    const row = h("div", { class: "row" }, this.#add, this.#more, this.#wrong);
    this.element.append(this.#thumb, head, this.#bars, row, this.#runners);
    this.#more.onclick = () => {
      this.thaw();
      this.#runnersOpen = !this.#runnersOpen;
      this.#more.setAttribute("aria-expanded", String(this.#runnersOpen));
      this.#showRunners(this.#neighbors);
    };
  }

  /** @param {Track} track @param {string} word @param {boolean} canCorrect */
  show(track, word, canCorrect) {
    const { reading, sure } = track;
    const { item, price } = reading;
    this.element.removeAttribute("data-gone");
    this.element.dataset.id = String(track.id);
    this.element.dataset.sure = String(sure);
    this.element.toggleAttribute("data-missed", track.justSeen);
    if (this.#key !== item.key) this.#showItem(item);
    setText(this.#chip, track.justSeen ? "just seen" : sure === null ? "found" : sure ? "confident" : "not confident");
    setText(this.#id, `#${track.id}`);
    if (this.#priceShown !== JSON.stringify(price)) {
      this.#priceShown = JSON.stringify(price);
      this.#price.replaceChildren(priceTag(price));
    }
    this.#twins.hidden = !reading.twins.length;
    setText(this.#twins, `Looks the same: ${reading.twins.map(stem).join(", ")}`);
    this.#bars.hidden = reading.score === null;
    this.#score.show(reading.score, 1);
    this.#margin.show(reading.margin, 0.5);
    this.#showAdd(track, word);
    this.#wrong.hidden = !canCorrect;
    this.#wrong.onclick = () => this.handlers.onWrong(track);
    this.#showRunners(reading.runnersUp);
  }

  /** Its track is gone, its row not yet. */
  showGone() {
    this.element.dataset.sure = "false";
    this.element.toggleAttribute("data-gone", true);
    setText(this.#chip, "gone");
    setText(this.#add, "Gone");
    this.#enable(false);
  }

  /** Keep the row's height, whatever it comes to show. */
  freeze() {
    if (!this.element.style.height) this.element.style.height = `${this.element.getBoundingClientRect().height}px`;
  }

  thaw() {
    this.element.style.height = "";
  }

  /** @param {Item} item */
  #showItem(item) {
    this.#key = item.key;
    const fresh = picture(item.refUrl && thumbnail(item.refUrl, 240), `Reference picture of ${item.name}`);
    this.#thumb.replaceChildren(fresh);
    setText(this.#name, item.name);
    setText(this.#facts, [item.rarity, item.setCode].filter(Boolean).join(" · "));
  }

  /** @param {Track} track @param {string} word */
  #showAdd({ justSeen, reading: { item, price } }, word) {
    this.#enable(!justSeen);
    const copies = this.handlers.copies(item.key);
    setText(this.#add, `+ Add to ${word}${copies ? ` (${copies} in it)` : ""}`);
    this.#add.setAttribute("aria-label", `Add ${item.name} to ${word}${copies ? `, ${copies} in it` : ""}`);
    this.#add.onclick = () => {
      flash(this.#add, "added", FLASH_MS);
      this.handlers.onAdd(item, price);
    };
  }

  /** A button that is disabled would lose the focus: its row keeps it meanwhile. @param {boolean} enabled */
  #enable(enabled) {
    const isFocused = document.activeElement === this.#add;
    this.#add.disabled = !enabled;
    if (isFocused && !enabled) this.element.focus({ preventScroll: true });
    else if (enabled && document.activeElement === this.element) this.#add.focus({ preventScroll: true });
  }

  /** @param {Neighbor[]} runners */
  #showRunners(runners) {
    this.#neighbors = runners;
    this.#more.hidden = !runners.length;
    this.#runners.hidden = !runners.length || !this.#runnersOpen;
    if (this.#runners.hidden) return;
    const rows = runners.map(({ name, score }) => h("li", {}, h("span", {}, name), h("span", {}, score.toFixed(2))));
    this.#runners.replaceChildren(...rows);
  }
}

/** @param {string} filename */
function stem(filename) {
  return filename.replace(/^.*\//, "").replace(/\.\w+$/, "");
}

/** A small bar with a number. @param {string} name */
function meter(name) {
  const value = h("span");
  const bar = h("i");
  const element = h("div", { class: "meter" }, h("span", {}, name), bar, value);
  return {
    element,
    /** @param {number | null} amount @param {number} full */
    show(amount, full) {
      element.hidden = amount === null;
      if (amount === null) return;
      setText(value, amount.toFixed(2).replace(/^-0\.00$/, "0.00"));
      bar.style.setProperty("--fraction", `${Math.max(0, Math.min(1, amount / full)) * 100}%`);
    },
  };
}
