import { place, thumbnail } from "./api.js";
import { h, picture } from "./dom.js";
import { formatMoney } from "./money.js";
import { refUrlOf } from "./refurl.js";

/** @import {Candidate, ListEntry} from "./listsapi.js" */

const CONDITIONS = ["", "mint", "near mint", "excellent", "good", "light played", "played", "poor"];
const FINISHES = ["", "foil", "etched", "holo", "reverse holo", "1st edition"];
const LANGUAGES = ["", "en", "de", "fr", "it", "es", "pt", "ja", "ko", "zh"];

/**
 * @typedef {object} Handlers
 * @property {(entry: ListEntry, copies: number) => void} onCopies
 * @property {(entry: ListEntry, changes: Partial<ListEntry>) => Promise<ListEntry | null>} onEdit  null once it is
 *   saved, else the entry to go on from
 * @property {(entry: ListEntry) => void} onRemove
 * @property {(entry: ListEntry, candidate: Candidate) => void} onChoose
 */

/** A row of a list, with a form that opens below it. @param {ListEntry} entry @param {Handlers} handlers @returns {HTMLLIElement} */
export function listRow(entry, handlers) {
  const { name, quantity } = entry;
  const row = h("li", { "data-id": String(entry.id), "data-state": entry.state });
  const form = h("div", { class: "list-form", hidden: true });
  /** @param {string} sign @param {string} what @param {() => void} act */
  const button = (sign, what, act) =>
    h(
      "button",
      { type: "button", "aria-label": `${what} ${name}`, "data-focus": `${what} ${entry.id}`, onclick: act },
      sign,
    );
  const edit = button("✎", "Edit", () => {
    form.hidden = !form.hidden;
    edit.setAttribute("aria-expanded", String(!form.hidden));
    if (form.hidden) return form.replaceChildren();
    form.replaceChildren(editForm(entry, handlers, () => edit.click()));
    form.querySelector("input")?.focus();
  });
  edit.setAttribute("aria-expanded", "false");
  const counter = h(
    "div",
    { class: "counter" },
    button("−", "One fewer of", () => (quantity > 1 ? handlers.onCopies(entry, -1) : handlers.onRemove(entry))),
    h("span", {}, String(quantity), h("span", { class: "hidden" }, " copies")),
    button("+", "One more of", () => handlers.onCopies(entry, 1)),
    edit,
    button("✕", "Remove", () => handlers.onRemove(entry)),
  );
  row.append(
    thumb(entry),
    texts(entry),
    counter,
    ...(entry.state === "review" ? [choices(entry, handlers)] : []),
    form,
  );
  return row;
}

/** @param {ListEntry} entry */
function thumb({ crop_url: crop, item, name }) {
  if (crop) return picture(place(crop), `Picture of ${name}`);
  return picture(item && thumbnail(refUrlOf(item), 120), "");
}

/** @param {ListEntry} entry */
function texts(entry) {
  const kind = [entry.rarity, entry.set_code, entry.finish, entry.condition, entry.language]
    .filter(Boolean)
    .join(" · ");
  const where = [entry.page, entry.row && `row ${entry.row}`, entry.column && `column ${entry.column}`];
  return h(
    "div",
    {},
    h("div", { class: "name" }, entry.name),
    h("div", { class: "each" }, kind || "—"),
    h("div", { class: "each" }, each(entry)),
    ...[where.filter(Boolean).join(", "), entry.note].filter(Boolean).map((text) => h("div", { class: "each" }, text)),
  );
}

/** @param {ListEntry} entry */
function each({ price, currency, quantity }) {
  if (price === null) return "no price";
  return `${quantity > 1 ? `${quantity} × ` : ""}${formatMoney(price, currency)}`;
}

/** @param {ListEntry} entry @param {Handlers} handlers */
function choices(entry, { onChoose }) {
  const buttons = entry.candidates.map((candidate) => {
    const facts = [candidate.rarity, candidate.set_code].filter(Boolean).join(" · ");
    return h(
      "button",
      { type: "button", "aria-label": `It is ${candidate.name}`, onclick: () => onChoose(entry, candidate) },
      candidate.name,
      facts ? h("small", {}, ` ${facts}`) : null,
    );
  });
  const asks = buttons.length ? "Which is it?" : "Not sure. Give it a name with ✎.";
  return h("div", { class: "list-choices" }, h("span", { class: "soft" }, asks), ...buttons);
}

/** @param {ListEntry} entry @param {Handlers} handlers @param {() => void} close */
function editForm(entry, { onEdit }, close) {
  const form = h("form", { class: "list-edit" });
  /** @param {string} label @param {HTMLElement} input */
  const field = (label, input) => h("label", {}, label, input);
  /** @param {string} name @param {string | number | null} value @param {Record<string, any>} [more] */
  const input = (name, value, more = {}) =>
    h("input", { name, value: String(value ?? ""), autocomplete: "off", ...more });
  /** @param {string} name @param {string} value @param {string[]} usual */
  const choice = (name, value, usual) => {
    const options = usual.includes(value) ? usual : [...usual, value];
    return h(
      "select",
      { name },
      ...options.map((one) => h("option", { value: one, selected: one === value }, one || "—")),
    );
  };
  const { quantity, price, currency, condition, finish, language, note } = entry;
  form.append(
    field("Quantity", input("quantity", quantity, { type: "number", min: "1", max: "9999", required: true })),
    field("Price", input("price", price, { type: "number", min: "0", step: "any" })),
    field("Currency", input("currency", currency, { maxLength: 3, pattern: "[A-Za-z]{3}", placeholder: "EUR" })),
    field("Condition", choice("condition", condition, CONDITIONS)),
    field("Finish", choice("finish", finish, FINISHES)),
    field("Language", choice("language", language, LANGUAGES)),
    field("Name", input("name", entry.name, { maxLength: 200, required: true })),
    field("Note", input("note", note, { maxLength: 1000 })),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "submit", class: "primary" }, "Save"),
      h("button", { type: "button", onclick: close }, "Cancel"),
    ),
  );
  let known = entry;
  form.onsubmit = async (event) => {
    event.preventDefault();
    // Only what was changed here, also after somebody else's change was shown.
    const changes = readChanges(entry, new FormData(form));
    const left = Object.keys(changes).length ? await onEdit(known, changes) : null;
    if (left) known = left;
    else close();
  };
  return form;
}

/** What differs from the entry. @param {ListEntry} entry @param {FormData} form @returns {Partial<ListEntry>} */
export function readChanges(entry, form) {
  const text = (/** @type {string} */ name) => String(form.get(name) ?? "").trim();
  const values = {
    quantity: Number(text("quantity")),
    price: text("price") ? Number(text("price")) : null,
    currency: text("currency").toUpperCase(),
    ...Object.fromEntries(["condition", "finish", "language", "name", "note"].map((name) => [name, text(name)])),
  };
  const changed = Object.entries(values).filter(
    ([name, value]) => entry[/** @type {keyof ListEntry} */ (name)] !== value,
  );
  return Object.fromEntries(changed);
}
