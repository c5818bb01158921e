import { place } from "./api.js";
import { byId, h } from "./dom.js";
import { isFree, SHORTCUTS } from "./shortcuts.js";

/** The help: how the page is used, what the keys do, and where the server describes itself. */
export class Help {
  #dialog = byId("help-dialog", HTMLDialogElement);

  constructor() {
    byId("help", HTMLButtonElement).onclick = () => this.#open();
    byId("help-close", HTMLButtonElement).onclick = () => this.#dialog.close();
    byId("help-docs", HTMLAnchorElement).href = place("docs");
    addEventListener("keydown", (event) => {
      if (event.key !== "?" || !isFree(event)) return;
      event.preventDefault();
      this.#open();
    });
  }

  /** Not every server describes itself, nor does what passes the page on. */
  async #findDocs() {
    const answer = await fetch(place("docs")).catch(() => null);
    byId("help-server", HTMLParagraphElement).hidden = !answer?.ok;
  }

  #open() {
    const groups = SHORTCUTS.flatMap(({ title, rows }) => [
      h("h3", {}, title),
      h("dl", {}, ...rows.map(({ key, does }) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)))),
    ]);
    byId("help-keys", HTMLDivElement).replaceChildren(...groups);
    this.#dialog.showModal();
    this.#dialog.scrollTop = 0; // the button that gets the focus is at its end
    this.#findDocs();
  }
}
