/** Values that the browser stores between visits. If storage is full, disabled or damaged, the page works without. */

const PREFIX = "data_label_factory.";

/**
 * @template T
 * @param {string} name @param {(text: string) => T} read throws if it cannot read the text
 * @returns {{value: T | null, damaged: boolean}} damaged text is kept under `NAME.damaged`
 */
export function load(name, read) {
  let text = null;
  try {
    text = localStorage.getItem(PREFIX + name);
    return { value: text === null ? null : read(text), damaged: false };
  } catch {
    if (text !== null) save(`${name}.damaged`, text);
    return { value: null, damaged: text !== null };
  }
}

/** @param {string} name @param {string} text @returns {boolean} false when the browser refuses */
export function save(name, text) {
  try {
    localStorage.setItem(PREFIX + name, text);
    return true;
  } catch {
    return false;
  }
}

/** Call `listener` when another tab changes `name`. @param {string} name @param {() => void} listener */
export function onForeignChange(name, listener) {
  addEventListener("storage", (event) => {
    if (event.key === PREFIX + name) listener();
  });
}
