import { thumbnail } from "./api.js";
import { byId, flash, h, picture, setRows, setText } from "./dom.js";
import { formatMoney, formatSum, formatUsd, toCents } from "./money.js";

/** @import {Options} from "./scan.js" */
/** @import {Row, ScanRun} from "./scanrun.js" */
/** @import {Price} from "./types.js" */

const MOST_ROWS = 200; // shown; all are counted
const FLASH_MS = 700;

/**
 * @typedef {object} Handlers
 * @property {() => void} mode
 * @property {() => void} undo
 * @property {() => void} take
 * @property {(row: Row) => void} remove
 * @property {(changes: Partial<Options>) => void} options
 * @property {() => void} clear
 */

/** What a scan shows: the newest thing large over the picture, count and total, and the rows. */
export class ScanPanel {
  #toggle = h("button", { type: "button", id: "scan-toggle", "aria-pressed": "false" }, "Scan");
  #count = h("span", { class: "count", id: "scan-count" }, "0");
  #total = h("output", { id: "scan-total" }, "$0.00");
  #note = h("p", { class: "soft note", hidden: true });
  #hint = h(
    "p",
    { class: "hint" },
    "Show one thing after the other. Each is taken once, when it is sure and held still.",
  );
  #rows = h("ol", { id: "scan-rows", class: "deck-list scan-rows" });
  #take = h("button", { type: "button", hidden: true }, "Take ", h("kbd", {}, "Space"));
  #undo = h("button", { type: "button", id: "scan-undo", disabled: true }, "Undo ", h("kbd", {}, "U"));
  #told = h("div", { id: "scan-told", class: "scan-told", hidden: true, "aria-hidden": "true" });
  #panel;
  /** @type {WeakMap<Row, HTMLLIElement>} */
  #shown = new WeakMap();

  /** @param {Options} options @param {Handlers} handlers */
  constructor(options, handlers) {
    this.handlers = handlers;
    const total = h("p", { class: "total" }, h("span", { class: "soft" }, "Total "), this.#total);
    const title = h("h2", { id: "scan-title" }, "Scan ", this.#count);
    const actions = h("div", { class: "actions" }, this.#undo, this.#take);
    this.#panel = h("section", {
      id: "scan-panel",
      class: "panel deck scan",
      hidden: true,
      "aria-labelledby": title.id,
    });
    this.#panel.append(
      h("header", {}, title, total),
      this.#note,
      actions,
      this.#hint,
      this.#rows,
      this.#options(options),
    );
    this.#undo.onclick = () => handlers.undo();
    this.#take.onclick = () => handlers.take();
    this.#toggle.onclick = (event) => {
      if (event.detail) this.#toggle.blur(); // Space is to take, not to press this once more
      handlers.mode();
    };
    byId("status", HTMLParagraphElement).after(this.#toggle);
    byId("stage", HTMLDivElement).append(this.#told);
    column().prepend(this.#panel);
  }

  /** @param {boolean} isOn */
  turn(isOn) {
    document.body.toggleAttribute("data-scanning", isOn);
    this.#toggle.setAttribute("aria-pressed", String(isOn));
    setText(this.#toggle, isOn ? "Stop scanning" : "Scan");
    this.#panel.hidden = !isOn && this.#undo.disabled && !this.#rows.childElementCount;
    this.#take.hidden = !isOn;
    if (!isOn) this.#told.hidden = true;
  }

  /** @param {ScanRun} run @param {Row | null} newest that was taken just now; null: something was taken back */
  show(run, newest) {
    const { totals, rows } = run;
    setText(this.#count, String(totals.count));
    setText(this.#total, formatSum(totals.cents, totals.others));
    setText(this.#note, totals.unpriced ? `${totals.unpriced} without a price, not in the total.` : "");
    this.#note.hidden = !totals.unpriced;
    this.#hint.hidden = rows.length > 0;
    this.#undo.disabled = !run.canUndo;
    this.#panel.hidden = !rows.length && !run.canUndo && !document.body.hasAttribute("data-scanning");
    const shown = rows.slice(-MOST_ROWS).reverse();
    if (newest) this.#shown.delete(newest); // it may have another name now
    setRows(
      this.#rows,
      shown.map((row) => this.#row(row)),
    );
    this.#tell(newest, `${totals.count} · ${formatSum(totals.cents, totals.others)}`);
  }

  /** @param {Row | null} row @param {string} sum */
  #tell(row, sum) {
    this.#told.hidden = !row || !document.body.hasAttribute("data-scanning");
    if (!row) return;
    const { item, price } = row;
    const facts = [item.rarity, item.setCode].filter(Boolean).join(" · ");
    this.#told.replaceChildren(
      h("div", {}, h("b", {}, item.name), h("span", {}, facts)),
      h("div", {}, h("b", {}, spellPrice(price)), h("span", {}, sum)),
    );
    flash(this.#told, "fresh", FLASH_MS);
  }

  /** @param {Row} row */
  #row(row) {
    const known = this.#shown.get(row);
    if (known) return known;
    const { item, price } = row;
    const facts = [item.rarity, item.setCode, spellPrice(price)].filter(Boolean).join(" · ");
    const text = h("div", {}, h("div", { class: "name" }, item.name), h("div", { class: "each" }, facts));
    const remove = h("button", { type: "button", "aria-label": `Take out ${item.name}` }, "✕");
    remove.onclick = () => this.handlers.remove(row);
    const thumb = picture(item.refUrl && thumbnail(item.refUrl, 120), "");
    const element = h("li", {}, thumb, text, h("div", { class: "counter" }, remove));
    this.#shown.set(row, element);
    return element;
  }

  /** @param {Options} options */
  #options(options) {
    const box = (/** @type {keyof Options} */ name, /** @type {string} */ says) => {
      const input = h("input", { type: "checkbox", checked: options[name] });
      input.onchange = () => this.handlers.options({ [name]: input.checked });
      return h("label", { class: "check" }, input, says);
    };
    const clear = h("button", { type: "button", onclick: () => this.handlers.clear() }, "Count anew");
    return h(
      "details",
      { class: "scan-options" },
      h("summary", {}, "Options"),
      box("sound", "Sound"),
      box("shakes", "Vibrate"),
      box("emptyUndoes", "Showing nothing for two seconds takes the last one back"),
      h("div", { class: "actions" }, clear),
    );
  }
}

/** The column in which scan and review stand, above the tracks. @returns {HTMLElement} */
export function column() {
  const tracks = byId("tracks-panel", HTMLElement);
  if (tracks.parentElement?.classList.contains("scan-column")) return tracks.parentElement;
  const made = h("div", { class: "scan-column" });
  tracks.replaceWith(made);
  made.append(tracks);
  return made;
}

/** @param {Price | null} price */
function spellPrice(price) {
  const cents = toCents(price?.usd);
  if (cents !== null) return formatUsd(cents);
  return price?.amount != null ? formatMoney(price.amount, price.currency) : "no price";
}
