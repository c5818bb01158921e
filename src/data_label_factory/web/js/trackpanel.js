import { thumbnail } from "./api.js";
import { byId, flash, h, picture, setText } from "./dom.js";
import { Hold } from "./hold.js";
import { difference, distinct, Labels, stem } from "./labels.js";
import { priceTag } from "./pricetag.js";
import { Runners } from "./runners.js";

/** @import {Item, Price, Reading} from "./types.js" */
/** @import {Track} from "./tracker.js" */

const FLASH_MS = 800;
const ADD_PARTS = ["", "wide", "", "wide", ""]; // of “+ Add to Deck (2 in it)”, of which a phone shows “+ Add (2)”
const FOUND_MS = 1200; // how long a card is marked whose outline was pressed

/**
 * @typedef {object} Handlers
 * @property {(item: Item, price: Price | null) => void} onAdd
 * @property {(track: Track, likely: Promise<Item[]>) => void} onWrong  with what else it may be
 * @property {(track: Track, item: Item) => void} onPick  it is this one, of the runners-up
 * @property {(item: Item) => void} onPictures            show the item's pictures
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
  #labels = new Labels(() => this.refresh());

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
        card = new TrackCard(this.handlers, this.#labels);
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

  /** Bring a track's card into sight, its button ready to be pressed. @param {number} id */
  reveal(id) {
    this.#cards.get(id)?.reveal();
  }
}

class TrackCard {
  element = h("li", { class: "track", tabIndex: -1 });
  #key = "";
  #priceShown = "";
  /** @type {Track | null} */
  #track = null;
  #thumb = h("div");
  #name = h("h3");
  #chip = h("span", { class: "chip" });
  #id = h("span", { class: "id" });
  #facts = h("span");
  #view = h("p", { class: "soft note", hidden: true }, "Matched by a further picture of it. This is the first.");
  #twins = h("p", { class: "soft note", hidden: true });
  #price = h("div");
  #score = meter("score");
  #margin = meter("margin");
  #bars = h("div", { class: "bars" }, this.#score.element, this.#margin.element);
  #add = h("button", { type: "button", class: "add primary" }, ...ADD_PARTS.map((kind) => h("span", { class: kind })));
  #details = h("button", { type: "button", class: "details", "aria-label": "Details" }, "⌄");
  #more = link("Runners-up");
  #wrong = link("That’s wrong …");
  #pictures = link("Pictures");
  #deed = ""; // what choosing a runner-up does

  /** @param {Handlers} handlers @param {Labels} labels */
  constructor(handlers, labels) {
    this.handlers = handlers;
    this.labels = labels;
    this.runners = new Runners(labels);
    const facts = h("p", { class: "facts" }, this.#chip, this.#id, this.#facts);
    const head = h("div", { class: "head" }, this.#name, facts, this.#price, this.#twins, this.#view);
    const row = h("div", { class: "row" }, this.#more, this.#wrong, this.#pictures);
    this.element.append(this.#thumb, head, this.#add, this.#details, this.#bars, row, this.runners.element);
    this.#details.onclick = () => this.#open(!this.element.hasAttribute("data-open"));
    this.#more.onclick = () => {
      this.thaw();
      this.runners.isOpen = !this.runners.isOpen;
      this.#more.setAttribute("aria-expanded", String(this.runners.isOpen));
      if (this.#track) this.#showRunners(this.#track);
    };
    this.#more.setAttribute("aria-expanded", "false");
    this.#open(false);
  }

  reveal() {
    this.thaw();
    this.#open(true);
    this.element.scrollIntoView({ block: "nearest", behavior: "smooth" });
    (this.#add.disabled ? this.element : this.#add).focus({ preventScroll: true });
    flash(this.element, "found", FOUND_MS);
  }

  /** On a phone, a card is short until it is opened. @param {boolean} isOpen */
  #open(isOpen) {
    this.thaw();
    this.element.toggleAttribute("data-open", isOpen);
    this.#details.setAttribute("aria-expanded", String(isOpen));
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
    setText(this.#chip, track.justSeen ? "just seen" : sure === null ? "found" : sure ? "sure" : "not sure");
    setText(this.#id, `#${track.id}`);
    if (this.#priceShown !== JSON.stringify(price)) {
      this.#priceShown = JSON.stringify(price);
      this.#price.replaceChildren(priceTag(price));
    }
    this.#showTwins(reading);
    this.#view.hidden = !reading.view;
    this.#bars.hidden = reading.score === null;
    this.#score.show(reading.score, 1);
    this.#margin.show(reading.margin, 0.5);
    this.#showAdd(track, word);
    this.#track = track;
    this.#wrong.hidden = this.#pictures.hidden = !canCorrect;
    this.#wrong.onclick = () => this.handlers.onWrong(track, this.#likely(reading));
    this.#pictures.onclick = () => this.handlers.onPictures(item);
    this.#deed = canCorrect ? "learn it" : `add to ${word}`;
    this.#showRunners(track);
  }

  /** Its track is gone, its row not yet. */
  showGone() {
    this.element.dataset.sure = "false";
    this.element.toggleAttribute("data-gone", true);
    setText(this.#chip, "gone");
    this.#sayAdd("Gone");
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
    this.runners.clear();
    const fresh = picture(item.refUrl && thumbnail(item.refUrl, 240), `Reference picture of ${item.name}`);
    this.#thumb.replaceChildren(fresh);
    setText(this.#name, item.name);
    setText(this.#facts, [item.rarity, item.setCode].filter(Boolean).join(" · "));
  }

  /** @param {Track} track @param {string} word */
  #showAdd({ justSeen, reading: { item, price } }, word) {
    this.#enable(!justSeen);
    const copies = this.handlers.copies(item.key);
    this.#sayAdd("+ Add", ` to ${word}`, copies ? ` (${copies}` : "", copies ? " in it" : "", copies ? ")" : "");
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

  /** @param {...string} parts of the button's text; the second and the fourth only where there is room */
  #sayAdd(...parts) {
    [...this.#add.children].forEach((place, at) => setText(place, parts[at] ?? ""));
  }

  /** By name and what differs: file names say less. @param {Reading} reading */
  #showTwins({ item, twins }) {
    const told = twins.map((file) => {
      const twin = this.labels.find(file);
      return twin ? difference(twin, item) : stem(file);
    });
    this.#twins.hidden = !twins.length;
    setText(this.#twins, `Looks the same: ${[...new Set(told)].join("; ")}`);
  }

  /** What else it may be, the likeliest first. @param {Reading} reading @returns {Promise<Item[]>} */
  async #likely({ item, twins, runnersUp }) {
    const files = [...twins, ...runnersUp.map(({ filename }) => filename)];
    return distinct(await Promise.all(files.map((file) => this.labels.ask(file))), item);
  }

  /** @param {Track} track */
  #showRunners(track) {
    const { runnersUp } = track.reading;
    this.#more.hidden = !runnersUp.length;
    this.runners.show(runnersUp, this.#deed, (item) => this.handlers.onPick(track, item));
  }
}

/** @param {string} text */
function link(text) {
  return h("button", { type: "button", class: "link" }, text);
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
