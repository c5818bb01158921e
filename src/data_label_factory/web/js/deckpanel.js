import { thumbnail } from "./api.js";
import { Deck } from "./deck.js";
import { fromJson, readDeck, toCsv, toJson, toText } from "./deckfile.js";
import { arrange, ORDERS } from "./deckorder.js";
import { byId, flash, h, picture, setText } from "./dom.js";
import { formatDate, formatMoney, formatSum, formatUsd } from "./money.js";
import { load, onForeignChange, save } from "./store.js";
import { decodeText } from "./table.js";
import { toast } from "./toast.js";

/** @import {Entry} from "./deck.js" */
/** @import {LeftOut} from "./table.js" */
/** @import {Row} from "./scanrun.js" */
/** @import {Item, Price} from "./types.js" */

const KEPT_AS = "deck";
const PULSE_MS = 900;
const ROWS_AT_ONCE = 200; // more would make every change slow
const FEW = 5; // so many are found at a glance

/** The deck on the page: shows and changes it, stores it in the browser, exports and imports it. */
export class DeckPanel {
  word = "Deck";
  #panel = byId("deck-panel", HTMLElement);
  #list = byId("deck", HTMLUListElement);
  #note = byId("deck-note", HTMLParagraphElement);
  #search = byId("deck-search", HTMLInputElement);
  #order = byId("deck-order", HTMLSelectElement);
  #rows = ROWS_AT_ONCE;
  #kept = true;
  #deck = new Deck();

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    const stored = load(KEPT_AS, fromJson);
    this.#deck = new Deck(stored.value ?? []);
    if (stored.damaged) toast(`The stored ${this.word} cannot be read. It was set aside, and this one starts empty.`);
    onForeignChange(KEPT_AS, () => {
      this.#deck = new Deck(load(KEPT_AS, fromJson).value ?? []);
      this.#draw();
    });
    this.#wire();
    this.#draw();
  }

  /** @param {string} key */
  count(key) {
    return this.#deck.count(key);
  }

  /** @param {Item} item @param {Price | null} price */
  add(item, price) {
    this.#deck.add(item, price);
    this.#show();
    this.#changed();
    flash(this.#panel, "pulse", PULSE_MS);
  }

  get entries() {
    return this.#deck.entries;
  }

  /** All of it is elsewhere now. */
  empty() {
    this.#deck.clear();
    this.#changed();
  }

  /** A copy that a scan takes. @param {Row} row */
  take({ item, price }) {
    this.add(item, price);
  }

  /** Take one copy back. @param {Row} row */
  untake({ item: { key } }) {
    this.#deck.setCount(key, this.#deck.count(key) - 1);
    this.#changed();
  }

  /** @param {string} word */
  rename(word) {
    this.word = word;
    for (const place of document.querySelectorAll("[data-word]")) place.textContent = word;
  }

  /** Bring what is added now into sight: a search would hide it. */
  #show() {
    this.#search.value = "";
    this.#list.scrollTop = 0;
  }

  #changed() {
    this.#kept = save(KEPT_AS, toJson(this.#deck.entries));
    this.#draw();
  }

  /** Make a change that can be undone. @param {string} text @param {() => void} change */
  #undoable(text, change) {
    const before = this.#deck.entries;
    change();
    this.#changed();
    toast(text, "Undo", () => {
      this.#deck = new Deck(before);
      this.#changed();
    });
  }

  #wireOrder() {
    this.#order.append(...ORDERS.map(({ id, name }) => h("option", { value: id }, name)));
    const stored = load("deck-order", String).value;
    if (ORDERS.some(({ id }) => id === stored)) this.#order.value = String(stored);
    const redraw = () => {
      this.#rows = ROWS_AT_ONCE;
      this.#list.scrollTop = 0;
      this.#draw();
    };
    this.#search.oninput = redraw;
    this.#order.onchange = () => {
      save("deck-order", this.#order.value);
      redraw();
    };
    byId("deck-more", HTMLButtonElement).onclick = () => {
      this.#rows += ROWS_AT_ONCE;
      this.#draw();
    };
  }

  #wire() {
    this.#wireOrder();
    const file = byId("deck-file", HTMLInputElement);
    byId("export-csv", HTMLButtonElement).onclick = () =>
      this.#download("csv", "text/csv", `\uFEFF${toCsv(this.#deck.entries)}`);
    byId("export-json", HTMLButtonElement).onclick = () =>
      this.#download("json", "application/json", toJson(this.#deck.entries));
    byId("copy", HTMLButtonElement).onclick = () => this.#copy();
    byId("import", HTMLButtonElement).onclick = () => file.click();
    file.onchange = async () => {
      const [chosen] = file.files ?? [];
      if (chosen) await this.#import(chosen);
      file.value = "";
    };
    byId("clear", HTMLButtonElement).onclick = () => {
      const { copies } = this.#deck.totals;
      this.#undoable(`${this.word} cleared (${copies})`, () => this.#deck.clear());
    };
  }

  /** @param {string} suffix @param {string} type @param {string} text */
  #download(suffix, type, text) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    h("a", { href: url, download: `${this.word.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-")}.${suffix}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(toText(this.#deck));
      toast("Copied");
    } catch {
      toast("The browser did not allow copying. Use CSV instead.");
    }
  }

  /** @param {File} file */
  async #import(file) {
    /** @type {LeftOut[]} */
    const leftOut = [];
    try {
      const entries = readDeck(decodeText(await file.arrayBuffer()), leftOut);
      const copies = entries.reduce((sum, entry) => sum + entry.count, 0);
      const told = `${file.name}: ${describeImport(copies, leftOut)}`;
      this.#undoable(told, () => this.#deck.merge(entries));
      this.#report(told, leftOut);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      toast(`${file.name}: ${why}`);
      this.#report(`${file.name}: nothing taken in. ${why}`, leftOut);
    }
  }

  /** What an import did stays until the next one: a toast is gone before it is read. @param {string} told @param {LeftOut[]} leftOut */
  #report(told, leftOut) {
    const report = byId("import-report", HTMLDetailsElement);
    const rows = leftOut.map(({ where, reason }) => h("li", {}, h("b", {}, where), `: ${reason}`));
    setText(byId("import-told", HTMLElement), told);
    byId("import-left-out", HTMLUListElement).replaceChildren(...rows);
    report.hidden = false;
    report.open = false;
    report.classList.toggle("none", !rows.length);
  }

  #draw() {
    const { copies, priced, cents, others } = this.#deck.totals;
    const { entries } = this.#deck;
    setText(byId("deck-count", HTMLSpanElement), String(copies));
    setText(byId("deck-total", HTMLOutputElement), formatSum(cents, others));
    const unpriced = copies - priced;
    const shown = arrange(entries, this.#search.value, this.#order.value);
    const notes = [
      unpriced ? `${unpriced} without a price, not in the total.` : "",
      entries.length && !shown.length ? "Nothing here matches the search." : "",
      this.#kept ? "" : "The browser’s storage is full or disabled: a reload will lose this. Export it.",
    ];
    setText(this.#note, notes.filter(Boolean).join(" "));
    this.#note.hidden = !this.#note.textContent;
    byId("deck-empty", HTMLParagraphElement).hidden = entries.length > 0;
    for (const id of ["export-csv", "export-json", "copy", "clear"])
      byId(id, HTMLButtonElement).disabled = !entries.length;
    const focus = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.focus : undefined;
    this.#list.replaceChildren(...shown.slice(0, this.#rows).map((entry) => this.#row(entry)));
    byId("deck-tools", HTMLDivElement).hidden = entries.length <= FEW && !this.#search.value;
    const more = byId("deck-more", HTMLButtonElement);
    more.hidden = shown.length <= this.#rows;
    setText(more, `Show more (${shown.length - this.#rows} hidden)`);
    if (focus) this.#refocus(focus);
    this.onChange();
  }

  /** The rows are new elements: move the focus to where it was, or to a button nearby. @param {string} name */
  #refocus(name) {
    const buttons = [...this.#list.querySelectorAll("button")];
    const target = buttons.find((button) => button.dataset.focus === name) ?? buttons[0];
    (target ?? byId("import", HTMLButtonElement)).focus();
  }

  /** @param {Entry} entry */
  #row(entry) {
    const { key, name, rarity, setCode, refUrl, count } = entry;
    /** @param {string} sign @param {string} what @param {() => void} act */
    const button = (sign, what, act) =>
      h(
        "button",
        { type: "button", "aria-label": `${what} ${name}`, "data-focus": `${what} ${key}`, onclick: act },
        sign,
      );
    const set = (/** @type {number} */ value) => {
      this.#deck.setCount(key, value);
      this.#changed();
    };
    const remove = () => this.#undoable(`${name} removed`, () => this.#deck.setCount(key, 0));
    const counter = h(
      "div",
      { class: "counter" },
      button("−", "One fewer of", () => (count > 1 ? set(count - 1) : remove())),
      h("span", {}, String(count), h("span", { class: "hidden" }, " copies")),
      button("+", "One more of", () => set(count + 1)),
      button("✕", "Remove", remove),
    );
    const facts = [rarity, setCode].filter(Boolean).join(" · ");
    const text = h(
      "div",
      {},
      h("div", { class: "name" }, name),
      h("div", { class: "each" }, facts || "—"),
      h("div", { class: "each", title: dated(entry) }, each(entry)),
    );
    return h("li", { "data-key": key }, picture(refUrl && thumbnail(refUrl, 120), ""), text, counter);
  }
}

/** @param {number} copies @param {readonly LeftOut[]} leftOut */
function describeImport(copies, leftOut) {
  const rows = leftOut.filter(({ isRow }) => isRow).length;
  const parts = leftOut.length - rows;
  const facts = [
    `${copies} taken in`,
    rows && `${rows} ${rows === 1 ? "row" : "rows"} left out`,
    parts && `${parts} ${parts === 1 ? "cell" : "cells"} left out`,
  ];
  const [first] = leftOut;
  return (
    facts.filter(Boolean).join(", ") +
    (first ? ` (${first.where}: ${first.reason}${leftOut.length > 1 ? " …" : ""})` : "")
  );
}

/** @param {Entry} entry */
function each({ cents, amount, currency, count }) {
  const original = amount !== null && currency !== "USD" ? formatMoney(amount, currency) : "";
  if (cents === null) return original ? `${original}, no rate to USD` : "no price";
  const sum = count > 1 ? `${count} × ${formatUsd(cents)}` : formatUsd(cents);
  return [sum, original].filter(Boolean).join(" · ");
}

/** @param {Entry} entry */
function dated({ date }) {
  const day = formatDate(date);
  return day && `Price of ${day}`;
}
