import { byId } from "./dom.js";
import { load, save } from "./store.js";

/** @typedef {{query: string, word: string, sureOnly: boolean, overlay: boolean, sound: boolean, mirror: boolean}} Values */

/** @type {Values} */
const DEFAULTS = { query: "card", word: "Deck", sureOnly: false, overlay: true, sound: false, mirror: false };

/** The user's settings, shown by the form and stored by the browser. */
export class Settings {
  /** @param {(values: Values) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {Values} */
    this.values = { ...DEFAULTS, ...load("settings", readValues).value };
    const form = byId("settings", HTMLFormElement);
    for (const input of form.querySelectorAll("input")) {
      const name = /** @type {keyof Values} */ (input.name);
      if (input.type === "checkbox") input.checked = Boolean(this.values[name]);
      else input.value = String(this.values[name]);
      input.addEventListener("input", () => {
        this.set({ [name]: input.type === "checkbox" ? input.checked : input.value.trim() || DEFAULTS[name] });
      });
    }
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** @param {Partial<Values>} changes */
  set(changes) {
    this.values = { ...this.values, ...changes };
    save("settings", JSON.stringify({ version: 1, values: this.values }));
    this.onChange(this.values);
  }
}

/** @param {string} text @returns {Partial<Values>} only known settings of the right type */
function readValues(text) {
  const { values } = JSON.parse(text);
  const known = Object.entries(DEFAULTS).filter(([name, value]) => typeof values[name] === typeof value);
  return Object.fromEntries(known.map(([name]) => [name, values[name]]));
}
