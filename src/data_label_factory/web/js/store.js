/** What the browser keeps between visits. It may be full, forbidden or damaged; then the page works on without. */

const PREFIX = "data_label_factory.";

/**
 * @template T
 * @param {string} name @param {(text: string) => T} read throws for what it cannot read
 * @returns {{value: T | null, damaged: boolean}} damaged text is put aside under `…​.damaged`, not lost
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

/** Hear of changes that another tab makes to `name`. @param {string} name @param {() => void} listener */
export function onForeignChange(name, listener) {
  addEventListener("storage", (event) => {
    if (event.key === PREFIX + name) listener();
  });
}
