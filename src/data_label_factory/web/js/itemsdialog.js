import { items, pictures, removePicture, thumbnail } from "./api.js";
import { byId, h, picture, setText } from "./dom.js";
import { toItem } from "./labels.js";
import { foldName } from "./names.js";
import { toast } from "./toast.js";

/** @import {Listed} from "./api.js" */
/** @import {Item} from "./types.js" */

const SEARCH_PAUSE_MS = 200;
const SURE_MS = 6000; // how long a button waits for the second press

/** The items of the collection: looked up, looked at with all their pictures, and taken out again. */
export class ItemsDialog {
  #dialog = byId("items-dialog", HTMLDialogElement);
  #title = byId("items-title", HTMLHeadingElement);
  #search = byId("items-search", HTMLInputElement);
  #list = byId("items-list", HTMLUListElement);
  #note = byId("items-note", HTMLParagraphElement);
  #back = byId("items-back", HTMLButtonElement);
  #remove = byId("items-remove", HTMLButtonElement);
  #pause = 0;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    byId("items-close", HTMLButtonElement).onclick = () => this.#dialog.close();
    byId("items-open", HTMLButtonElement).onclick = () => this.open();
    this.#back.onclick = () => this.#showAll();
    this.#search.oninput = () => {
      clearTimeout(this.#pause);
      this.#pause = window.setTimeout(() => this.#showAll(), SEARCH_PAUSE_MS);
    };
    this.#dialog.querySelector("form")?.addEventListener("submit", (event) => event.preventDefault());
  }

  /** @param {Item} [item] the one to show at once */
  open(item) {
    this.#search.value = "";
    this.#list.replaceChildren();
    this.#dialog.showModal();
    if (item) this.#show(item);
    else this.#showAll();
  }

  async #showAll() {
    this.#arrange("Items of the collection", false);
    const words = this.#search.value;
    const found = await this.#ask(items(words));
    if (!found || words !== this.#search.value || !this.#back.hidden) return;
    const rows = found.items.map(toItem).map((item) => {
      const button = h("button", { type: "button", onclick: () => this.#show(item) });
      button.append(picture(thumbnail(item.refUrl, 120), ""), spell(item));
      return h("li", {}, button);
    });
    this.#list.replaceChildren(...rows);
    const hidden = found.total - rows.length;
    this.#say(rows.length ? (hidden > 0 ? `${hidden} more: search for them.` : "") : "No item matches.");
  }

  /** @param {Item} item */
  async #show(item) {
    this.#arrange(spell(item), true);
    this.#list.replaceChildren();
    this.#say("");
    const found = await this.#ask(pictures(item.name));
    if (!found) return;
    const own = found.items.filter((listed) => isSame(toItem(listed), item));
    if (!own.length) return this.#showAll();
    this.#list.replaceChildren(...own.map((listed, at) => this.#picture(item, listed, at, own.length)));
    this.#say(
      own.length > 1
        ? "The first picture is the one that is shown with the item. The further ones were taught and only help to recognize it."
        : "Its only picture: it is shown with the item.",
    );
    const many = own.length > 1 ? ` and its ${own.length} pictures` : "";
    ask(this.#remove, "Remove item …", `Really remove it${many}?`, async () => {
      // The first goes last: should one fail, the rest is still an item with its own picture.
      for (const { filename } of [...own].reverse()) if (!(await this.#take(filename))) return this.#show(item);
      toast(`Removed: ${spell(item)}. Its files are in the folder .removed.`);
      this.#showAll();
    });
  }

  /** @param {Item} item @param {Listed} listed @param {number} at @param {number} count */
  #picture(item, listed, at, count) {
    const told = at ? `Further picture ${at + 1}` : "Shown with the item";
    const remove = h("button", { type: "button", class: "danger", hidden: count < 2 });
    ask(remove, "Remove", "Really?", async () => {
      if (await this.#take(listed.filename)) toast(`Removed: a picture of ${spell(item)}`);
      this.#show(item);
    });
    const text = h("span", {}, told, h("small", {}, listed.filename));
    return h("li", { class: "view" }, picture(thumbnail(listed.ref_url, 240), told), text, remove);
  }

  /** @param {string} filename @returns {Promise<boolean>} */
  async #take(filename) {
    const done = await this.#ask(removePicture(filename));
    if (done) this.onChange();
    return Boolean(done);
  }

  /** @template T @param {Promise<T>} request @returns {Promise<T | null>} */
  async #ask(request) {
    try {
      return await request;
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  /** @param {string} title @param {boolean} isOne */
  #arrange(title, isOne) {
    setText(this.#title, title);
    this.#back.hidden = this.#remove.hidden = !isOne;
    /** @type {HTMLElement} */ (this.#search.parentElement).hidden = isOne;
  }

  /** @param {string} text */
  #say(text) {
    setText(this.#note, text);
    this.#note.hidden = !text;
  }
}

/** A button that asks back before it acts. @param {HTMLButtonElement} button @param {string} text @param {string} question @param {() => void} act */
function ask(button, text, question, act) {
  let timer = 0;
  const rest = () => {
    clearTimeout(timer);
    timer = 0;
    setText(button, text);
  };
  rest();
  button.onclick = () => {
    if (timer) {
      rest();
      return act();
    }
    setText(button, question);
    timer = window.setTimeout(rest, SURE_MS);
  };
}

/** @param {Item} item */
function spell({ name, rarity, setCode }) {
  return [name, rarity, setCode].filter(Boolean).join(" · ");
}

/** @param {Item} a @param {Item} b */
function isSame(a, b) {
  return foldName(a.name) === foldName(b.name) && a.rarity === b.rarity && a.setCode === b.setCode;
}
