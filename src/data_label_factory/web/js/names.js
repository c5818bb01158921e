/** What word processors, keyboards and catalogs write for one another, as `labels.item_key` of the server reads it. */
const ALIKE = new Map(
  Object.entries({
    "'": "’‘‛ʼʻʹ`´＇′",
    '"': "“”„‟″«»＂",
    "-": "‐‑‒–—―−﹘﹣－",
    "...": "…",
    "": "\u00AD\u200B\u2060\uFEFF",
  }).flatMap(([plain, others]) => [...others].map((other) => /** @type {const} */ ([other, plain]))),
);

/** The key of a name: names with the same key are one item. @param {string} name @returns {string} */
export function foldName(name) {
  // Upper case first: it spells out ß and ligatures, as full case folding does.
  const folded = name.normalize("NFD").toUpperCase().toLowerCase().replaceAll("ς", "σ");
  const plain = [...folded].map((letter) => ALIKE.get(letter) ?? letter).join("");
  return plain.normalize("NFC").trim().split(/\s+/u).join(" ");
}
