import { readCount } from "./count.js";

/** Deck lists as plain text, such as shops, forums and games export them: `4x Name (SET) 12`. */

const SIDEBOARD = /^(?:SB|CMDR|Sideboard):\s*/i;
const COUNT = /^(?:(\d+(?:[,.]\d{3})*)\s?[x×]?|[x×]\s?(\d+))\s+(?=\S)/i;
const DECORATION = /\s+(?:\*[^*\s]{1,8}\*|#(?!\d)\S.*|\^[^^]*\^|<[^<>]*>|\[[^[\]]*[{,][^[\]]*\])$/;
const PRINT =
  /\s+[([]([A-Za-z0-9]{2,8})(?:[-:#]\s?([A-Za-z0-9★†]*\d[A-Za-z0-9★†]*))?[)\]](?:\s+#?([A-Za-z0-9★†-]*\d[A-Za-z0-9★†]*))?$/;
const BARE_PRINT = /\s+([A-Z][A-Z0-9]{1,5}|\d[A-Z]+)\s+(\d+[A-Za-z]?)$/; // Pokémon: `4 Comfey LOR 79`
const RARITY = /\s+\((PScR|ScR|UR|SR|OP|UtR|CR|EA|GMR)\)$/i; // `2× Owl (UR) [AB-001]`, as this page copies it

// Headings, comments and sums, which name no card.
const HEADING =
  /^(?:(?:\/\/|#|=|-{2,}).*|(?:main ?deck|deck|sideboard|maybeboard|commanders?|companion|tokens?|extra ?deck|about|creatures?|lands?|spells?|instants?|sorcer(?:y|ies)|artifacts?|enchantments?|planeswalkers?|monsters?|traps?|pok[eé]mon|trainer|energy|total cards)\s*(?:[([]?\d+[)\]]?)?:?\s*(?:\d+)?|(?:name|total|format)[: ]\s*\S.*)$/i;

/** Whether a text is a deck list: its first line that is no heading begins with a count. @param {string} text */
export function isDeckList(text) {
  const first = lines(text).find(({ line }) => !HEADING.test(line));
  return first !== undefined && COUNT.test(first.line.replace(SIDEBOARD, ""));
}

/**
 * @param {string} text
 * @returns {{number: number, card: {name: string, count: number, rarity: string, setCode: string} | string}[]} for each
 *   line that is no heading: its card, or why it is none
 */
export function readDeckList(text) {
  return lines(text)
    .filter(({ line }) => !HEADING.test(line))
    .map(({ line, number }) => ({ number, card: readLine(line) }));
}

/** @param {string} text */
function lines(text) {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\r|\n/)
    .map((line, at) => ({ line: line.trim(), number: at + 1 }))
    .filter(({ line }) => line);
}

/** @param {string} whole */
function readLine(whole) {
  const line = whole.replace(SIDEBOARD, "");
  const counted = COUNT.exec(line);
  if (!counted) return `‘${whole.slice(0, 40)}’ does not begin with a count`;
  const count = readCount(counted[1] ?? counted[2]);
  if (typeof count === "string") return count;

  let name = strip(line.slice(counted[0].length));
  let rarity = "";
  let setCode = "";
  for (;;) {
    const rare = RARITY.exec(name);
    const print = rare ? null : (PRINT.exec(name) ?? (setCode ? null : BARE_PRINT.exec(name)));
    if (rare) rarity = rare[1];
    else if (print) setCode = [print[1], print[3] ?? print[2]].filter(Boolean).join("-").toUpperCase();
    else return { name, count, rarity, setCode };
    name = strip(name.slice(0, (rare ?? print)?.index));
  }
}

/** @param {string} text @returns {string} */
function strip(text) {
  const shorter = text.replace(DECORATION, "");
  return shorter === text ? text.trim() : strip(shorter);
}
