import { isFree } from "./shortcuts.js";

/** @typedef {"take" | "undo" | "mode" | "choose" | "dismiss"} Deed */

/** What the keys do; the page's help shows this table. @type {readonly {key: string, does: string}[]} */
export const SCAN_KEYS = [
  { key: "M", does: "Start or stop scanning" },
  { key: "Space", does: "Take what is in view, or one more of it" },
  { key: "U", does: "Undo the last step of the scan" },
  { key: "1–5", does: "Choose a candidate of what is asked first" },
  { key: "X", does: "Leave out what is asked first" },
];

const PRESSABLE = "button, summary, a[href], input[type=checkbox], [tabindex]";

/**
 * Listen for the keys of the scan. They are not heard while somebody types or a dialog is open; nor is Space where it
 * presses what the keyboard is on.
 * @param {(deed: Deed, number: number) => boolean} act  with the number that was pressed; whether it did anything
 */
export function listen(act) {
  addEventListener("keydown", (event) => {
    const found = event.repeat || !isFree(event) || pressesButton(event) ? null : deedOf(event.key);
    if (!found) return;
    if (act(found.deed, found.number)) event.preventDefault();
  });
}

/** @param {string} key @returns {{deed: Deed, number: number} | null} */
export function deedOf(key) {
  if (/^[1-5]$/.test(key)) return { deed: "choose", number: Number(key) };
  /** @type {Record<string, Deed>} */
  const deeds = { " ": "take", u: "undo", m: "mode", x: "dismiss" };
  const deed = deeds[key.toLowerCase()];
  return deed ? { deed, number: 0 } : null;
}

/** Whether Space presses what the keyboard is on. @param {KeyboardEvent} event */
function pressesButton({ target, key }) {
  if (key !== " " || !(target instanceof Element)) return false;
  return target.closest(PRESSABLE)?.matches(":focus-visible") === true;
}
