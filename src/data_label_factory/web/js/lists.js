import { byId, h } from "./dom.js";
import { toJson } from "./deckfile.js";
import { addCopies } from "./listedit.js";
import { ListPanel } from "./listpanel.js";
import { addEntries, allLists, changeEntry, importFile, makeList, oneEntry, removeEntry } from "./listsapi.js";
import { Outbox } from "./outbox.js";
import { randomName } from "./random.js";
import { load, save } from "./store.js";
import { toast } from "./toast.js";

/** @import {DeckPanel} from "./deckpanel.js" */
/** @import {List} from "./listsapi.js" */
/** @import {Take} from "./outbox.js" */
/** @import {Row} from "./scanrun.js" */
/** @import {Item, Price} from "./types.js" */

const KEPT_AS = "list";
const NEW = "new";

/** Where taken things are kept: in this browser's deck or, if the server has lists, in one of these. */
export class Keep {
  #panel = new ListPanel();
  #choice = h("select", { id: "keep-in" });
  #move = h("button", { type: "button", id: "keep-move", hidden: true }, "Move the deck into it");
  #bar = h("div", { class: "panel keep", hidden: true }, h("label", {}, "Keep in ", this.#choice), this.#move);
  #outbox = new Outbox(post, () => this.#panel.tell());
  /** @type {List[]} */
  #lists = [];
  #session = randomName();
  #hasBegun = false;

  /** @param {DeckPanel} deck @param {() => void} onChange another list was chosen */
  constructor(deck, onChange) {
    this.deck = deck;
    this.onChange = onChange;
    byId("deck-panel", HTMLElement).before(this.#bar);
    this.#panel.waits = () => this.#waits();
    this.#choice.onchange = () => this.#choose(this.#choice.value);
    this.#move.onclick = () => this.#moveDeck();
  }

  /** The chosen list's name; empty: the deck. */
  get word() {
    return this.#panel.list?.name ?? "";
  }

  /** The number of copies that are there; 0 if only the server knows. @param {string} key */
  count(key) {
    return this.#panel.list ? 0 : this.deck.count(key);
  }

  /** Ask the server for its lists, until it tells them. */
  async begin() {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const said = await allLists().catch(({ status }) => {
      this.#hasBegun = status === 404; // else it is asked again
    });
    if (!said || !Array.isArray(said.lists)) return;
    this.#lists = said.lists;
    this.#bar.hidden = !said.can_write && !said.lists.length;
    const stored = Number(load(KEPT_AS, String).value ?? 0);
    await this.#open(this.#lists.find(({ id }) => id === stored) ?? null);
  }

  /** @param {Item} item @param {Price | null} price */
  add(item, price) {
    if (!this.#panel.list) return this.deck.add(item, price);
    this.take({ key: randomName(), thing: 0, item, price, crop: Promise.resolve("") });
    toast(`${item.name} → ${this.word}`);
  }

  /** @param {Row} row */
  async take(row) {
    const { list } = this.#panel;
    places.set(row, list);
    if (!list) return this.deck.take(row);
    const crop = (await row.crop).replace(/^data:image\/jpeg;base64,/, "");
    const { refFilename: item, name, rarity, setCode } = row.item;
    const is = item ? { item } : { name, rarity, set_code: setCode };
    const entry = { ...is, session: this.#session, ...(crop ? { crop } : {}), ...row.spot };
    this.#outbox.add({ key: keyOf(row), list: list.id, entry, merge: true });
  }

  /** @param {Row} row */
  async untake(row) {
    const list = places.get(row);
    if (!list) return this.deck.untake(row);
    await row.crop; // it is sent only then
    const entry = await this.#outbox.recall(keyOf(row));
    renew(row);
    if (entry === null) return;
    try {
      const known = await oneEntry(list.id, entry);
      const left = await addCopies((one, changes) => changeEntry(list.id, one, changes), known, -1);
      if (!left) await removeEntry(list.id, await oneEntry(list.id, entry));
    } catch (error) {
      toast(`${row.item.name} is still in ${list.name}. ${error instanceof Error ? error.message : error}`);
    }
    await this.#panel.refresh();
  }

  /** @param {Row} row @param {Item} item @param {Price | null} price */
  async retake(row, item, price) {
    const renamed = { ...row, item, price };
    await this.untake(row);
    keys.set(renamed, keyOf(row));
    await this.take(renamed);
    places.set(row, places.get(renamed) ?? null);
  }

  /** @param {string} value id of a list; empty: the deck */
  async #choose(value) {
    if (value !== NEW) return this.#open(this.#lists.find(({ id }) => String(id) === value) ?? null);
    const name = await askName();
    try {
      if (name) this.#lists = [await makeList(name), ...this.#lists];
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error));
      return this.#open(this.#panel.list);
    }
    await this.#open(name ? this.#lists[0] : this.#panel.list);
  }

  /** @param {List | null} list */
  async #open(list) {
    const options = [
      ["", "This browser"],
      ...this.#lists.map(({ id, name }) => [String(id), name]),
      [NEW, "A new list …"],
    ];
    this.#choice.replaceChildren(...options.map(([value, name]) => h("option", { value }, name)));
    this.#choice.value = list ? String(list.id) : "";
    save(KEPT_AS, list ? String(list.id) : "");
    byId("deck-panel", HTMLElement).hidden = Boolean(list);
    this.#move.hidden = !list || !this.deck.entries.length;
    await this.#panel.open(list);
    this.#outbox.send(); // what was refused may be taken now
    this.onChange();
  }

  async #moveDeck() {
    const { list } = this.#panel;
    if (!list) return;
    try {
      const file = new Blob([toJson(this.deck.entries)], { type: "application/json" });
      const { added, merged } = await importFile(list.id, file, "deck.json", "deck", true);
      this.deck.empty();
      toast(`The deck is in ${list.name} now: ${added} added, ${merged} joined.`);
    } catch (error) {
      toast(`Nothing was moved. ${error instanceof Error ? error.message : error}`);
    }
    this.#move.hidden = !this.deck.entries.length;
    await this.#panel.refresh();
  }

  #waits() {
    const { waiting, problem } = this.#outbox;
    if (!waiting || !problem) return "";
    return `${waiting} not saved yet, and kept in this browser. ${problem}`;
  }
}

/** The name of a new list; empty if the user thinks better of it. @returns {Promise<string>} */
function askName() {
  const name = h("input", { required: true, maxLength: 100, autocomplete: "off", id: "list-name" });
  const submit = h("button", { type: "submit", class: "primary" }, "Make it");
  const cancel = h("button", { type: "button", onclick: () => dialog.close("") }, "Cancel");
  const form = h("form", { method: "dialog" }, h("h2", { id: "list-name-title" }, "A new list"));
  form.append(h("label", {}, "Name", name), h("div", { class: "actions" }, cancel, submit));
  submit.value = "made"; // what the dialog says when it was pressed
  const dialog = h("dialog", { "aria-labelledby": "list-name-title" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      resolve(name.value.trim() && dialog.returnValue ? name.value.trim() : "");
    };
  });
}

/** @param {Take[]} takes of one list @returns {Promise<number[]>} */
async function post(takes) {
  const [{ list, merge }] = takes;
  const sent = takes.map(({ key, entry }) => ({ ...entry, key }));
  const { entries } = await addEntries(list, sent, merge);
  return entries.map(({ id }) => id);
}

/** Where a row was put: another list may have been chosen since. @type {WeakMap<Row, List | null>} */
const places = new WeakMap();

/** A row that was taken back and is taken again is another take. @type {WeakMap<Row, string>} */
const keys = new WeakMap();

/** @param {Row} row */
function keyOf(row) {
  return keys.get(row) ?? row.key;
}

/** @param {Row} row */
function renew(row) {
  keys.set(row, randomName());
}
