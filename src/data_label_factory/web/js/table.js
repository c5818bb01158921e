/** Tables that spreadsheets and shops write: any delimiter, any case of the header. A row that cannot be read is named. */

/**
 * @typedef {{line: number, cells: string[], broken: boolean}} Row  broken: a quote does not end, or goes on after its end
 * @typedef {{where: string, reason: string, isRow: boolean}} LeftOut  what was left out of a file: a row, or part of one
 */

const DELIMITERS = [",", ";", "\t", "|"];
const SEPARATOR_LINE = /^"?sep=(.)"?$/i; // Excel's own
const NAMES = new Map([
  [",", "comma"],
  [";", "semicolon"],
  ["\t", "tab"],
]);

/** The text of a file. @param {ArrayBuffer} buffer @returns {string} Throws an Error if it is no text in Unicode. */
export function decodeText(buffer) {
  const [first, second] = new Uint8Array(buffer);
  const wide = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "";
  try {
    return new TextDecoder(wide || "utf-8", { fatal: true }).decode(buffer);
  } catch {
    throw new Error("This file is not UTF-8 text. Save it as “CSV UTF-8”.");
  }
}

/**
 * The rows of a text, without empty ones.
 * @param {string} text @param {(title: string) => boolean} isKnown whether a header may have this title
 * @returns {{rows: Row[], delimiter: string}}
 */
export function readTable(text, isKnown) {
  let rest = text.replace(/^\uFEFF/, "");
  let line = 1;
  let delimiter = "";
  for (;;) {
    const [start] = /^[^\r\n]*(?:\r\n|\r|\n|$)/.exec(rest) ?? [""];
    const said = SEPARATOR_LINE.exec(start.replace(/[\r\n]+$/, ""));
    if (!start || !(said || !start.trim())) break;
    if (said) delimiter = said[1];
    rest = rest.slice(start.length);
    line += 1;
  }
  delimiter ||= sniff(rest, isKnown);
  const rows = parse(rest, delimiter, line).filter(({ cells }) => cells.some((cell) => cell));
  return { rows, delimiter };
}

/** `Set_Code`, `set code` and `SET CODE:` are one; `Price (EUR)` is `price`. @param {string} title */
export function foldTitle(title) {
  return title
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/\(.*?\)|\[.*?\]/g, "")
    .replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** @param {string} delimiter */
export function surplusHint(delimiter) {
  return `more cells than columns: put "quotes" around a cell with a ${NAMES.get(delimiter) ?? delimiter}`;
}

/** The delimiter that shows most known titles, else the most cells. @param {string} text @param {(title: string) => boolean} isKnown */
function sniff(text, isKnown) {
  const [start] = /^[^\r\n]*/.exec(text) ?? [""];
  let [best, most] = [",", -1];
  for (const delimiter of DELIMITERS) {
    const cells = parse(start, delimiter, 1)[0]?.cells ?? [];
    const weight = 1000 * cells.filter(isKnown).length + Math.min(cells.length, 999);
    if (weight > most) [best, most] = [delimiter, weight];
  }
  return best;
}

/** @param {string} text @param {string} delimiter @param {number} line the number of the first one @returns {Row[]} */
function parse(text, delimiter, line) {
  const mark = delimiter.replace(/[\\^$.*+?()[\]{}|\-/]/g, "\\$&");
  const cell = new RegExp(
    `[^\\S\\t\\r\\n]*"((?:[^"]|"")*)"[^\\S\\t\\r\\n]*(?=${mark}|\\r|\\n|$)(${mark}|\\r\\n|\\r|\\n|$)|([^\\r\\n]*?)(${mark}|\\r\\n|\\r|\\n|$)`,
    "gy",
  );
  /** @type {Row[]} */
  const rows = [{ line, cells: [], broken: false }];
  for (let found = cell.exec(text); found; found = cell.exec(text)) {
    const [all, quoted, quotedEnd, plain, plainEnd] = found;
    const end = quotedEnd ?? plainEnd;
    const row = rows[rows.length - 1];
    row.cells.push((quoted === undefined ? plain : quoted.replaceAll('""', '"')).trim());
    row.broken ||= quoted === undefined && plain.trimStart().startsWith('"');
    line += all.match(/\r\n|\r|\n/g)?.length ?? 0;
    if (end === "") break;
    if (end !== delimiter) rows.push({ line, cells: [], broken: false });
  }
  return rows;
}
