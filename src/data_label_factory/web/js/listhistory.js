import { h } from "./dom.js";
import { history, undoStep } from "./listsapi.js";

/** @import {Step} from "./listsapi.js" */

/** @type {Record<string, string>} */
const KINDS = {
  add: "Added",
  edit: "Changed",
  remove: "Taken out",
  merge: "Joined",
  import: "Imported",
  undo: "Undone",
  create: "Made the list",
  rename: "Renamed the list",
  delete: "Deleted the list",
  restore: "Brought the list back",
};

/** What was done to a list, the newest first; every step can be taken back. */
export class ListHistory {
  #steps = h("ol", { class: "history" });
  #more = h("button", { type: "button", class: "link" }, "Earlier steps");
  #problem = h("p", { class: "problem", role: "alert", hidden: true });
  #dialog = h("dialog", { "aria-labelledby": "history-title" });
  #list = 0;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    const close = h("button", { type: "button", onclick: () => this.#dialog.close() }, "Close");
    const title = h("h2", { id: "history-title" }, "History");
    this.#dialog.append(title, this.#problem, this.#steps, this.#more, h("div", { class: "actions" }, close));
    document.body.append(this.#dialog);
  }

  /** @param {number} list */
  async open(list) {
    this.#list = list;
    this.#steps.replaceChildren();
    this.#dialog.showModal();
    await this.#load(0);
  }

  /** @param {number} before */
  async #load(before) {
    await this.#try(async () => {
      const { steps, next } = await history(this.#list, before);
      this.#steps.append(...steps.map((step) => this.#row(step)));
      this.#more.hidden = next === null;
      this.#more.onclick = () => this.#load(next ?? 0);
    });
  }

  /** @param {Step} step */
  #row(step) {
    const names = step.changes.map(({ before, after }) => (after ?? before)?.name ?? "").filter(Boolean);
    const told = [...new Set(names)].slice(0, 3).join(", ");
    const rest = step.changed > 3 ? ` and more (${step.changed} in all)` : "";
    const when = new Date(step.at).toLocaleString();
    const text = h("div", {}, h("b", {}, KINDS[step.kind] ?? step.kind), ` ${told}${rest}`);
    text.append(h("small", { class: "soft" }, [when, step.device].filter(Boolean).join(" · ")));
    const undo = h(
      "button",
      { type: "button", disabled: step.undone_by !== null },
      step.undone_by ? "Taken back" : "Undo",
    );
    undo.hidden = !step.changed;
    undo.onclick = () =>
      this.#try(async () => {
        await undoStep(this.#list, step.id);
        this.#steps.replaceChildren();
        await this.#load(0);
        this.onChange();
      });
    return h("li", {}, text, undo);
  }

  /** @param {() => Promise<void>} act */
  async #try(act) {
    this.#problem.hidden = true;
    try {
      await act();
    } catch (error) {
      this.#problem.textContent = error instanceof Error ? error.message : String(error);
      this.#problem.hidden = false;
    }
  }
}
