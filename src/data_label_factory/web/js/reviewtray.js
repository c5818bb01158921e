import { thumbnail } from "./api.js";
import { h, picture, setRows, setText } from "./dom.js";
import { fromText, Review, toText } from "./review.js";
import { column } from "./scanpanel.js";
import { load, onForeignChange, save } from "./store.js";
import { toast } from "./toast.js";

/** @import {Asked} from "./review.js" */
/** @import {Item} from "./types.js" */

const KEPT_AS = "review";
const MOST_SHOWN = 50;

/** What waits for a word of the user: its picture, and a button for each candidate. Kept by the browser. */
export class ReviewTray {
  /** @type {(asked: Asked, item: Item) => void} */
  onChoose = () => undefined;
  /** @type {(asked: Asked) => void} */
  onDismiss = () => undefined;
  #count = h("span", { class: "count", id: "review-count" }, "0");
  #list = h("ol", { id: "review", class: "review-list" });
  #more = h("p", { class: "soft note", hidden: true });
  #panel = h("section", { id: "review-panel", class: "panel review", hidden: true, "aria-labelledby": "review-title" });
  #review = new Review(readKept());
  /** @type {Map<string, HTMLLIElement>} */
  #shown = new Map();

  constructor() {
    this.#panel.append(
      h("h2", { id: "review-title" }, "Review ", this.#count),
      h(
        "p",
        { class: "soft note" },
        "Not sure: press what it is. ",
        h("span", { class: "of-keys" }, "The keys 1–5 and X are for the first."),
      ),
      this.#list,
      this.#more,
    );
    column().prepend(this.#panel);
    onForeignChange(KEPT_AS, () => {
      const known = new Map(this.#review.entries.map((asked) => [asked.key, asked]));
      this.#review = new Review(readKept().map((asked) => known.get(asked.key) ?? asked));
      this.#draw();
    });
    this.#draw();
  }

  /** @param {Asked} asked */
  add(asked) {
    if (!this.#review.add(asked)) return toast("The review is full. Name some of what is in it first.");
    this.#changed();
  }

  /** The picture of one comes a moment after it. @param {string} key @param {string} crop */
  picture(key, crop) {
    const asked = this.#review.find(key);
    if (!asked || !crop) return;
    asked.crop = crop;
    this.#shown.delete(key);
    this.#changed();
  }

  /** @param {Asked} asked */
  putBack(asked) {
    // What lay before the camera then is another thing by now.
    this.#review.putBack({ ...asked, thing: 0 });
    this.#changed();
  }

  /** @param {number} thing @returns {Asked | null} what was taken out */
  removeThing(thing) {
    const asked = this.#review.findThing(thing);
    return asked && this.#remove(asked);
  }

  /** Choose for the first. @param {number} number of its candidate, from 1 @returns {boolean} false if there is none */
  choose(number) {
    const [first] = this.#review.entries;
    const item = first?.candidates[number - 1];
    if (!item) return false;
    this.#choose(first, item);
    return true;
  }

  dismissFirst() {
    const [first] = this.#review.entries;
    if (first) this.#dismiss(first);
    return Boolean(first);
  }

  /** @param {Asked} asked @param {Item} item */
  #choose(asked, item) {
    if (this.#remove(asked)) this.onChoose(asked, item);
  }

  /** @param {Asked} asked */
  #dismiss(asked) {
    if (this.#remove(asked)) this.onDismiss(asked);
  }

  /** @param {Asked} asked */
  #remove(asked) {
    const removed = this.#review.remove(asked.key);
    this.#changed();
    return removed;
  }

  #changed() {
    if (!save(KEPT_AS, toText(this.#review.entries))) save(KEPT_AS, toText(this.#review.entries.map(withoutPicture)));
    this.#draw();
  }

  #draw() {
    const { entries } = this.#review;
    const isWithin = this.#list.contains(document.activeElement);
    this.#panel.hidden = !entries.length;
    setText(this.#count, String(entries.length));
    const surplus = entries.length - MOST_SHOWN;
    this.#more.hidden = surplus <= 0;
    setText(this.#more, `${surplus} more, after these.`);
    const rows = entries.slice(0, MOST_SHOWN).map((asked) => this.#row(asked));
    const keys = new Set(entries.map(({ key }) => key));
    for (const key of this.#shown.keys()) if (!keys.has(key)) this.#shown.delete(key);
    setRows(this.#list, rows);
    if (isWithin && !this.#list.contains(document.activeElement)) this.#list.querySelector("button")?.focus();
  }

  /** @param {Asked} asked */
  #row(asked) {
    const known = this.#shown.get(asked.key);
    if (known) return known;
    const crop = asked.crop ? h("img", { src: asked.crop, alt: "What was seen", class: "crop" }) : picture("", "");
    const choices = asked.candidates.map((item, i) => h("li", {}, this.#button(asked, item, i + 1)));
    const dismiss = h("button", { type: "button", class: "link" }, "None of these: leave it out");
    dismiss.onclick = () => this.#dismiss(asked);
    const { page, row: line, column } = asked.spot ?? {};
    const place = page ? h("p", { class: "soft note" }, `${page}, row ${line}, column ${column}`) : null;
    const row = h("li", { "data-key": asked.key }, crop, h("div", {}, place, h("ol", {}, ...choices), dismiss));
    this.#shown.set(asked.key, row);
    return row;
  }

  /** @param {Asked} asked @param {Item} item @param {number} number */
  #button(asked, item, number) {
    const facts = [item.rarity, item.setCode].filter(Boolean).join(" · ");
    const name = h("span", {}, h("b", {}, item.name), facts ? h("small", {}, facts) : null);
    const button = h("button", { type: "button", "aria-label": `It is ${item.name}` });
    const key = h("kbd", { "aria-hidden": "true" }, String(number));
    button.append(picture(item.refUrl && thumbnail(item.refUrl, 120), ""), name, key);
    button.onclick = () => this.#choose(asked, item);
    return button;
  }
}

/** What another page has asked. Its things are not this one's. @returns {Asked[]} */
function readKept() {
  return (load(KEPT_AS, fromText).value ?? []).map((asked) => ({ ...asked, thing: 0 }));
}

/** @param {Asked} asked @returns {Asked} */
function withoutPicture(asked) {
  return { ...asked, crop: "" };
}
