import { byId, h, setRows, setText } from "./dom.js";
import { addCopies, Clash, edit } from "./listedit.js";
import { ListFiles } from "./listfiles.js";
import { ListHistory } from "./listhistory.js";
import { listRow } from "./listrow.js";
import { changedList, changeEntry, entries, oneEntry, removeEntry, undoStep } from "./listsapi.js";
import { formatMoney } from "./money.js";
import { toast } from "./toast.js";

/** @import {Candidate, List, ListEntry} from "./listsapi.js" */

const POLL_MS = 2000;
const PAGE = 100;
const MOST_ROWS = 1000; // of one answer of the server
const TYPING_MS = 150;
const PRESS_MS = 50; // how soon after a press the rows change
const ORDERS = {
  newest: "Newest first",
  name: "Name",
  set: "Set",
  "-price": "Price",
  "-quantity": "Quantity",
  place: "Place",
};

/** A list of the server: what other devices add to it appears, and what is changed here is there at once. */
export class ListPanel {
  /** @type {List | null} */
  list = null;
  /** What waits to be sent to it, in words; or empty. */
  waits = () => "";
  #etag = "";
  #limit = PAGE;
  #asked = 0;
  #name = h("span");
  #count = h("span", { class: "count", id: "list-count" }, "0");
  #total = h("output", { id: "list-total" });
  #note = h("p", { class: "soft note", id: "list-note", hidden: true });
  #search = h("input", {
    type: "search",
    id: "list-search",
    autocomplete: "off",
    placeholder: "Search",
    "aria-label": "Search the list",
  });
  #order = h("select", { "aria-label": "Sort the list by" });
  #state = h(
    "select",
    { id: "list-state", "aria-label": "Show" },
    h("option", { value: "" }, "All"),
    h("option", { value: "review" }, "To review"),
  );
  #rows = h("ul", { class: "deck-list", id: "list", "aria-labelledby": "list-title" });
  #more = h("button", { type: "button", class: "link", hidden: true }, "Show more");
  #empty = h("p", { class: "hint", hidden: true });
  #panel = h("section", { class: "panel deck list", id: "list-panel", "aria-labelledby": "list-title", hidden: true });
  #history = new ListHistory(() => this.refresh());
  #files = new ListFiles(
    () => this.list?.id ?? 0,
    () => this.refresh(),
  );
  /** @type {Map<number, {element: HTMLLIElement, version: number}>} */
  #shown = new Map();

  constructor() {
    const title = h("h2", { id: "list-title" }, this.#name, " ", this.#count);
    const total = h("p", { class: "total" }, h("span", { class: "soft" }, "Total "), this.#total);
    const tools = h("div", { class: "deck-tools" }, this.#search, this.#order, this.#state);
    const history = h("button", { type: "button", id: "list-history" }, "History");
    const undo = h("button", { type: "button", id: "list-undo" }, "Undo");
    this.#files.element.append(history, undo);
    this.#panel.append(h("header", {}, title, total), this.#note, tools, this.#rows, this.#more, this.#empty);
    this.#panel.append(this.#files.element, this.#files.report);
    byId("deck-panel", HTMLElement).after(this.#panel);
    this.#order.append(...Object.entries(ORDERS).map(([value, name]) => h("option", { value }, name)));
    history.onclick = () => this.list && this.#history.open(this.list.id);
    undo.onclick = () => this.#try((id) => undoStep(id, 0));
    this.#more.onclick = () => this.#reload((this.#limit += PAGE));
    this.#order.onchange = this.#state.onchange = () => this.#reload(PAGE);
    let typing = 0;
    this.#search.oninput = () => {
      clearTimeout(typing);
      typing = window.setTimeout(() => this.#reload(PAGE), TYPING_MS);
    };
    setInterval(() => document.hidden || this.refresh(), POLL_MS);
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
  }

  /** @param {List | null} list null: show none */
  async open(list) {
    this.list = list;
    this.#etag = "";
    this.#limit = PAGE;
    this.#search.value = "";
    this.#state.value = "";
    this.#shown.clear();
    this.#rows.replaceChildren();
    this.#panel.hidden = !list;
    if (!list) return;
    this.#head(list);
    this.#files.prepare().catch(() => undefined);
    await this.refresh();
  }

  /** Show what has changed. */
  async refresh() {
    const { list } = this;
    if (!list) return;
    try {
      const changed = await changedList(list.id, this.#etag);
      if (list.id !== this.list?.id) return;
      if (changed) {
        this.#etag = changed.etag;
        this.#head((this.list = changed.list));
        await this.#load();
      }
      this.tell();
    } catch (error) {
      this.tell(error);
    }
  }

  /** Say what is wrong, or waits. @param {unknown} [error] */
  tell(error) {
    const problem = error instanceof Error ? `${error.message}: this may be old.` : "";
    setText(this.#note, [problem, this.waits()].filter(Boolean).join(" "));
    this.#note.hidden = !this.#note.textContent;
  }

  /** @param {number} limit */
  #reload(limit) {
    this.#limit = limit;
    this.#load().catch((error) => this.tell(error));
  }

  async #load() {
    const { list } = this;
    if (!list) return;
    const asked = ++this.#asked;
    const [q, sort, state] = [this.#search.value.trim(), this.#order.value, this.#state.value];
    const page = await entries(list.id, { q, sort, state, limit: Math.min(MOST_ROWS, this.#limit), cursor: "" });
    // A press ends where it began, or it is none: a row that is pressed is not replaced.
    while (this.#rows.matches(":active")) await new Promise((resolve) => setTimeout(resolve, PRESS_MS));
    if (asked === this.#asked) this.#show(page.entries, page.total);
  }

  /** @param {List} list */
  #head({ name, copies, totals }) {
    setText(this.#name, name);
    setText(this.#count, String(copies));
    setText(this.#total, totals.map(({ amount, currency }) => formatMoney(amount, currency)).join(" + ") || "—");
  }

  /** Rows that have not changed stay: a press, a focus or an open form would be lost with them. @param {ListEntry[]} found @param {number} total */
  #show(found, total) {
    const rows = found.map((entry) => this.#row(entry));
    const ids = new Set(found.map(({ id }) => id));
    for (const id of this.#shown.keys()) if (!ids.has(id)) this.#shown.delete(id);
    const focus = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.focus : undefined;
    setRows(this.#rows, rows);
    if (focus && !document.activeElement?.closest("#list")) this.#refocus(focus);
    this.#more.hidden = total <= found.length || this.#limit >= MOST_ROWS;
    this.#empty.hidden = total > 0;
    setText(
      this.#empty,
      this.#search.value || this.#state.value
        ? "Nothing here matches."
        : "Empty. What is taken comes here, from every device.",
    );
  }

  /** @param {string} name */
  #refocus(name) {
    const target = [...this.#rows.querySelectorAll("button")].find((button) => button.dataset.focus === name);
    target?.focus();
  }

  /** @param {ListEntry} entry */
  #row(entry) {
    const known = this.#shown.get(entry.id);
    const isEdited = known?.element.querySelector(".list-form:not([hidden])");
    if (known && (known.version === entry.version || isEdited)) return known.element;
    const element = listRow(entry, {
      onCopies: (one, copies) => this.#try((id) => this.#add(id, one, copies)),
      onEdit: (one, changes) => this.#edit(one, changes),
      onRemove: (one) => this.#remove(one),
      onChoose: (one, candidate) => this.#choose(one, candidate),
    });
    this.#shown.set(entry.id, { element, version: entry.version });
    return element;
  }

  /** @param {number} id @param {ListEntry} entry @param {number} copies */
  async #add(id, entry, copies) {
    await addCopies((known, changes) => changeEntry(id, known, changes), entry, copies);
  }

  /** @param {ListEntry} entry @param {Partial<ListEntry>} changes @returns {Promise<ListEntry | null>} null once it is saved */
  async #edit(entry, changes) {
    let left = /** @type {ListEntry | null} */ (entry);
    await this.#try(async (id) => {
      try {
        await edit((known, fields) => changeEntry(id, known, fields), entry, changes);
        this.#shown.delete(entry.id); // its row is made anew, and the form closed with it
        left = null;
      } catch (error) {
        if (error instanceof Clash) left = error.current;
        throw error;
      }
    });
    return left;
  }

  /** @param {ListEntry} entry @param {Candidate} candidate */
  #choose(entry, { item, name, set_code, rarity }) {
    const is = item ? { item } : { name, set_code, rarity };
    this.#try((id) => edit((known, fields) => changeEntry(id, known, fields), entry, { ...is, state: "sure" }));
  }

  /** @param {ListEntry} entry */
  #remove(entry) {
    this.#try(async (id) => {
      const known = await oneEntry(id, entry.id);
      const { step } = await removeEntry(id, known);
      toast(`${entry.name} removed`, "Undo", () => this.#try(() => undoStep(id, step)));
    });
  }

  /** @param {(list: number) => Promise<unknown>} act */
  async #try(act) {
    const id = this.list?.id;
    if (!id) return;
    try {
      await act(id);
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error));
    }
    await this.refresh();
  }
}
