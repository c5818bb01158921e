import { addItem, addView, items, recognize, removePicture, thumbnail } from "./api.js";
import { CropChooser } from "./crop.js";
import { byId, h, picture, setText } from "./dom.js";
import { toItem } from "./labels.js";
import { boxOf, nearestToMiddle, shareIn } from "./marking.js";
import { toast } from "./toast.js";

/** @import {Guess, Item, Point, Sighting} from "./types.js" */
/** @import {Track} from "./tracker.js" */

const SEARCH_PAUSE_MS = 200;
const LOOK_MS = 10_000;
const SHOWN_SHARE = 0.6; // of a known thing, so much of which in the marked part makes a picture of it

/** @typedef {{frame: Blob, quad: Point[]}} Seen  a frame, and where the thing is in it */

/** The two dialogs that change the collection: a new item, and "it is really X". */
export class Teacher {
  #correct = byId("correct-dialog", HTMLDialogElement);
  #new = byId("new-dialog", HTMLDialogElement);
  #crop = new CropChooser(byId("crop", HTMLCanvasElement), () => this.#warn());
  /** @type {Seen | null} */
  #shown = null;
  /** @type {Item[] | Promise<Item[]>} what it may be, the likeliest first */
  #likely = [];
  /** @type {{name: string, box: Sighting["box"]}[]} what is known in the frame, surely */
  #known = [];
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
    byId("correct-new", HTMLButtonElement).onclick = () => {
      this.#correct.close();
      if (this.#shown) this.addItem(this.#shown.frame, { quad: this.#shown.quad });
    };
  }

  /** Ask what a thing really is. @param {Seen} seen @param {Item[] | Promise<Item[]>} likely what it may be, the likeliest first */
  correct(seen, likely) {
    this.#shown = seen;
    this.#likely = likely;
    problem(this.#correct, "");
    byId("correct-search", HTMLInputElement).value = "";
    byId("correct-items", HTMLUListElement).replaceChildren();
    this.#correct.showModal();
    this.#list("");
  }

  /** Keep a thing as a further picture of an item, without asking. @param {Seen} seen @param {Item} item */
  async learn(seen, item) {
    try {
      this.#tell(await addView(seen.frame, seen.quad, item.refFilename), "Learned: a further picture of");
    } catch (error) {
      toast(messageOf(error));
    }
  }

  /**
   * @param {Blob} frame
   * @param {{quad?: Point[], tracks?: Track[], guess?: Guess | null}} found  the thing, or what was found in the frame
   */
  async addItem(frame, { quad, tracks = [], guess = null }) {
    this.#shown = { frame, quad: [] };
    this.#known = tracks
      .filter(({ sure, justSeen }) => sure && !justSeen)
      .map((track) => ({ name: nameOf(track.reading.item), box: boxOf(track.quad) }));
    problem(this.#new, "");
    byForm(this.#new).reset();
    const unknown = nearestToMiddle(tracks.filter(({ sure }) => !sure)) ?? guess;
    await this.#crop.open(frame, quad ?? unknown?.quad ?? null);
    this.#new.showModal();
    this.#look(frame, !quad && !unknown);
  }

  /** Ask what the frame shows: what is known is not new, and what is not may be it. @param {Blob} frame @param {boolean} isUnmarked */
  async #look(frame, isUnmarked) {
    const said = await recognize(frame, "", "", AbortSignal.timeout(LOOK_MS)).catch(() => null);
    if (!said || this.#shown?.frame !== frame) return;
    this.#known = said.sightings
      .filter(({ confident }) => confident)
      .map(({ item, box }) => ({ name: nameOf(item), box }));
    const unknown = nearestToMiddle(said.sightings.filter(({ confident }) => !confident)) ?? said.guess;
    if (isUnmarked && unknown && !this.#crop.isTouched) this.#crop.begin(unknown.quad);
    else this.#warn();
  }

  /** Say when the part that is marked shows something known. */
  #warn() {
    const warning = byId("new-warning", HTMLParagraphElement);
    const known = this.#known.find(({ box }) => shareIn(this.#crop.quad, box) >= SHOWN_SHARE);
    const text = known
      ? `This part shows ${known.name}, which is known already. Under another name, neither would be sure. To keep it as a further picture, use “That’s wrong …”, or the same name.`
      : "";
    setText(warning, text);
    warning.hidden = !text;
  }

  /** @param {string} words */
  async #list(words) {
    try {
      const [{ items: found }, first] = await Promise.all([items(words), this.#likely]);
      if (words !== byId("correct-search", HTMLInputElement).value) return; // another search overtook it
      const likely = words.trim() ? [] : first;
      const files = new Set(likely.map(({ refFilename }) => refFilename));
      const others = found.map(toItem).filter(({ refFilename }) => !files.has(refFilename));
      const rows = [
        ...(likely.length ? [h("li", { class: "soft note" }, "Perhaps one of these")] : []),
        ...likely.map((item) => this.#choice(item)),
        ...(likely.length && others.length ? [h("li", { class: "soft note" }, "All items")] : []),
        ...others.map((item) => this.#choice(item)),
      ];
      byId("correct-items", HTMLUListElement).replaceChildren(...rows);
      problem(this.#correct, rows.length ? "" : "No item matches.");
    } catch (error) {
      problem(this.#correct, messageOf(error));
    }
  }

  /** @param {Item} item */
  #choice(item) {
    const button = h("button", { type: "button", onclick: () => this.#addView(item.refFilename) });
    const facts = [nameOf(item), item.setCode].filter(Boolean).join(" · ");
    button.append(picture(item.refUrl && thumbnail(item.refUrl, 120), ""), facts);
    return h("li", {}, button);
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
      const changed = await request();
      dialog.close();
      this.#tell(changed, said);
    } catch (error) {
      problem(dialog, messageOf(error));
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  /** Say what was learned, and offer to take it back. @param {any} changed @param {string} said */
  #tell({ filename, label, hint }, said) {
    toast(hint ? `${said} ${label}. ${hint}.` : `${said} ${label}`, "Undo", async () => {
      try {
        await removePicture(filename);
        toast(`Taken back: ${label}`);
      } catch (error) {
        toast(messageOf(error));
      }
      this.onTaught();
    });
    this.onTaught();
  }
}

/** @param {Item} item */
function nameOf({ name, rarity }) {
  return rarity ? `${name} (${rarity})` : name;
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
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
