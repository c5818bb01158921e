/** What the keys do. The help shows this table; each part of the page adds what it listens to. */

/**
 * @typedef {object} Shortcut
 * @property {string} key    as it is printed on the keyboard
 * @property {string} does
 *
 * @typedef {object} Group
 * @property {string} title
 * @property {readonly Shortcut[]} rows
 */

/** @type {Group[]} */
export const SHORTCUTS = [
  {
    title: "Everywhere",
    rows: [
      { key: "?", does: "Show this help" },
      { key: "Esc", does: "Close what is open" },
      { key: "← →", does: "The picture before or after, of several" },
    ],
  },
  {
    title: "Marking a new item",
    rows: [
      { key: "← → ↑ ↓", does: "Move the marked part, or the chosen corner" },
      { key: "1–4", does: "Choose a corner; 0 chooses all of it" },
      { key: "Shift + arrow", does: "Resize the marked part" },
    ],
  },
];

/** @param {string} title @param {readonly Shortcut[]} rows */
export function addShortcuts(title, rows) {
  SHORTCUTS.push({ title, rows });
}

const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

/** Whether a key belongs to the page: nobody types, nothing is open, and no other key is held. @param {KeyboardEvent} event */
export function isFree({ target, defaultPrevented, ctrlKey, metaKey, altKey, isComposing }) {
  if (defaultPrevented || ctrlKey || metaKey || altKey || isComposing) return false;
  if (document.querySelector("dialog[open]")) return false;
  return !(target instanceof Element && target.closest(TYPING));
}
