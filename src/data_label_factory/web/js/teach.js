import { addItem, addView, items, thumbnail } from "./api.js";
import { CropChooser } from "./crop.js";
import { byId, h, picture } from "./dom.js";
import { toast } from "./toast.js";

/** @import {Point} from "./types.js" */

const SEARCH_PAUSE_MS = 200;

/** The two dialogs that change the collection: a new item, and "it is really X". */
export class Teacher {
  #correct = byId("correct-dialog", HTMLDialogElement);
  #new = byId("new-dialog", HTMLDialogElement);
  #crop = new CropChooser(byId("crop", HTMLCanvasElement));
  /** @type {{frame: Blob, quad: Point[]} | null} */
  #shown = null;
  #search = 0;

  /** @param {() => void} onTaught */
  constructor(onTaught) {
    this.onTaught = onTaught;
    for (const dialog of [this.#correct, this.#new]) {
      for (const button of dialog.querySelectorAll("[data-close]"))
        button.addEventListener("click", () => dialog.close());
    }
    const search = byId("correct-search", HTMLInputElement);
    search.oninput = () => {
      clearTimeout(this.#search);
      this.#search = window.setTimeout(() => this.#list(search.value), SEARCH_PAUSE_MS);
    };
    byForm(this.#correct).onsubmit = (event) => event.preventDefault();
    byForm(this.#new).onsubmit = (event) => {
      event.preventDefault();
      this.#addNew();
    };
  }

  /** @param {Blob} frame @param {Point[]} quad where the item is in it */
  correct(frame, quad) {
    this.#shown = { frame, quad };
    problem(this.#correct, "");
    byId("correct-search", HTMLInputElement).value = "";
    this.#correct.showModal();
    this.#list("");
  }

  /** @param {Blob} frame */
  async addItem(frame) {
    this.#shown = { frame, quad: [] };
    problem(this.#new, "");
    byForm(this.#new).reset();
    await this.#crop.open(frame);
    this.#new.showModal();
  }

  /** @param {string} words */
  async #list(words) {
    try {
      const { items: found } = await items(words);
      const rows = found.map((item) => {
        const button = h("button", { type: "button", onclick: () => this.#addView(item.filename) });
        button.append(
          picture(thumbnail(item.ref_url, 120), ""),
          [item.label, item.set_code].filter(Boolean).join(" · "),
        );
        return h("li", {}, button);
      });
      byId("correct-items", HTMLUListElement).replaceChildren(...rows);
      problem(this.#correct, found.length ? "" : "No item matches.");
    } catch (error) {
      problem(this.#correct, String(error instanceof Error ? error.message : error));
    }
  }

  /** @param {string} filename */
  #addView(filename) {
    const shown = this.#shown;
    if (shown)
      this.#send(this.#correct, () => addView(shown.frame, shown.quad, filename), "Learned: a further picture of");
  }

  #addNew() {
    const [name, set_code, rarity] = ["new-name", "new-set", "new-rarity"].map((id) =>
      byId(id, HTMLInputElement).value.trim(),
    );
    const frame = this.#shown?.frame;
    if (frame) this.#send(this.#new, () => addItem(frame, this.#crop.quad, { name, set_code, rarity }), "Added:");
  }

  /** @param {HTMLDialogElement} dialog @param {() => Promise<any>} request @param {string} said */
  async #send(dialog, request, said) {
    const buttons = dialog.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    try {
      const { label, hint } = await request();
      dialog.close();
      toast(hint ? `${said} ${label}. ${hint}.` : `${said} ${label}`);
      this.onTaught();
    } catch (error) {
      problem(dialog, error instanceof Error ? error.message : String(error));
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }
}

/** @param {HTMLDialogElement} dialog */
function byForm(dialog) {
  return /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
}

/** @param {HTMLDialogElement} dialog @param {string} text */
function problem(dialog, text) {
  const line = /** @type {HTMLElement} */ (dialog.querySelector(".problem"));
  line.hidden = !text;
  line.textContent = text;
}
