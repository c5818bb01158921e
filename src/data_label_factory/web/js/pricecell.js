/** Prices in a table that somebody made: the rule of docs/prices.md, “Money in a table”. */

const LARGEST = 1e12;
const LONGEST_CELL = 60;
const CELL =
  /^(?<before>[^0-9]*?)\s*(?<number>(?:(?<![\p{L}.,])[.,])?[0-9]+(?:[.,' ][0-9]+)*)(?<noCents>[.,]-{1,2})?\s*(?<after>[^0-9]*)$/u;
const AMBIGUOUS = /^[1-9][0-9]{0,2}[.,][0-9]{3}$/;
/** @type {Record<string, string>} */
const OTHER_MARK = { ",": ".", ".": "," };

/** What people write → the currencies that it can mean, the likeliest first. */
const SIGNS = new Map(
  Object.entries({
    "$ dollar dollars": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP",
    us$: "USD",
    "€ euro euros": "EUR",
    "£ gb£ pound pounds": "GBP",
    "¥ 円 yen jp¥": "JPY CNY",
    元: "CNY TWD HKD",
    "kr kr.": "SEK NOK DKK ISK",
    "fr fr.": "CHF XAF XOF XPF",
    "sfr sfr.": "CHF",
    "rs rs. ₨": "INR PKR LKR NPR MUR SCR",
    "₹": "INR",
    "c$ ca$ can$": "CAD",
    "a$ au$": "AUD",
    nz$: "NZD",
    "s$ sg$": "SGD",
    hk$: "HKD",
    nt$: "TWD",
    mx$: "MXN",
    r$: "BRL",
    "kč kc": "CZK",
    "ft ft.": "HUF",
    "zł zl": "PLN",
    "₩ 원 won": "KRW",
    "₽ руб руб. р.": "RUB",
    "₺ tl": "TRY",
    "₴": "UAH",
    "₫ đ": "VND",
    "₱": "PHP",
    "฿": "THB",
    "₪": "ILS",
    rm: "MYR",
    lei: "RON",
    "лв лв.": "BGN",
    "rp rp.": "IDR",
    r: "ZAR",
  }).flatMap(([signs, codes]) => signs.split(" ").map((sign) => /** @type {const} */ ([sign, codes.split(" ")]))),
);
// They must be decided by the column or the cell's code: no one of them is likelier everywhere.
const UNDECIDED = new Set(["kr", "kr.", "fr", "fr.", "rs", "rs.", "₨", "元"]);
const CODES = new Set(Intl.supportedValuesOf("currency"));
const WITHOUT_CENTS = new Set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(" "));

/** One column of prices: its clear cells decide about the ambiguous ones. */
export class PriceColumn {
  #marks;

  /** @param {readonly string[]} cells @param {boolean} decimalCommas whether `;` separates the columns */
  constructor(cells, decimalCommas) {
    this.decimalCommas = decimalCommas;
    this.#marks = new Set(cells.map(decimalMark).filter(Boolean));
  }

  /**
   * @param {string} cell @param {string} currency of the column, such as EUR; empty if it names none
   * @returns {{amount: number, currency: string} | null} null if the cell says that there is no price; throws an Error
   *   that says why the cell is none
   */
  read(cell, currency) {
    const plain = toPlain(cell);
    if (/^-{0,2}$/.test(plain)) return null;
    const found = matchCell(plain);
    if (!found) throw new Error(`price ‘${cell}’ is not a number`);
    const inCell = currencyOf(cell, [found.before, found.after], currency);
    const number = numberOf(found);
    const digits = AMBIGUOUS.test(number) ? this.#decide(cell, number, inCell) : split(number).digits;
    if (digits === null) throw new Error(`price ‘${cell}’ is not a number`);
    const amount = Number(digits);
    if (amount >= LARGEST) throw new Error(`price ‘${cell}’ is too large`);
    return { amount, currency: inCell };
  }

  /** `1,980` → 1980 or 1.980. @param {string} cell @param {string} number @param {string} currency */
  #decide(cell, number, currency) {
    const [whole, mark, decimals] = number.split(/([.,])/);
    const [grouped, decimal] = [whole + decimals, `${whole}.${decimals}`];
    if (this.#marks.size === 1) return this.#marks.has(mark) ? decimal : grouped;
    if (!this.#marks.size && WITHOUT_CENTS.has(currency)) return grouped;
    if (!this.#marks.size && this.decimalCommas) return mark === "," ? decimal : grouped;
    throw new Error(`price ‘${cell}’ may mean ${grouped} or ${Number(decimal)}`);
  }
}

/** An amount as a cell that `PriceColumn` reads back without looking at others. @param {number} amount */
export function priceCell(amount) {
  const text = String(amount);
  return AMBIGUOUS.test(text) ? `${text}0` : text;
}

/** The currency in a column's title, such as `Price (EUR)` or `usd_each`. @param {string} title */
export function currencyInTitle(title) {
  const words = title.split(/[^\p{L}\p{Sc}]+/u).filter(Boolean);
  for (const word of words) {
    const [likely] = meanings(word);
    if (likely && (word.length > 1 || /\p{Sc}/u.test(word))) return likely;
  }
  return "";
}

/** @param {string} text @returns {readonly string[]} */
function meanings(text) {
  const word = text.toLowerCase().replaceAll(/\s/g, "");
  return SIGNS.get(word) ?? (CODES.has(word.toUpperCase()) ? [word.toUpperCase()] : []);
}

/** @param {string} cell @param {string[]} around @param {string} column */
function currencyOf(cell, around, column) {
  const written = around.map((text) => text.trim()).filter(Boolean);
  let possible = column ? [column] : null;
  for (const text of written) {
    const meant = meanings(text);
    if (!meant.length) throw new Error(`price ‘${cell}’ is not a number`);
    possible = possible ? possible.filter((code) => meant.includes(code)) : [...meant];
  }
  if (!possible) return "";
  if (!possible.length) throw new Error(`price ‘${cell}’ is not in ${column || "one currency"}`);
  if (possible.length > 1 && written.every((text) => UNDECIDED.has(text.toLowerCase())))
    throw new Error(`price ‘${cell}’ may be in ${possible.join(" or ")}`);
  return possible[0];
}

/** @param {string} cell */
function toPlain(cell) {
  return cell
    .replaceAll(/\p{Cf}/gu, "")
    .replaceAll(/[\uFF01-\uFF5E]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll(/[’‘‛ʼʹ`´′]/g, "'")
    .replaceAll(/[‐‑‒–—―−﹘﹣]/g, "-")
    .replaceAll("￥", "¥")
    .replaceAll("￡", "£")
    .replaceAll("￦", "₩")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** @param {string} plain */
function matchCell(plain) {
  const groups = plain.length <= LONGEST_CELL ? CELL.exec(plain)?.groups : undefined;
  return groups && { before: groups.before, number: groups.number, noCents: groups.noCents, after: groups.after };
}

/** `5,-` → `5,00`. @param {{number: string, noCents?: string}} found */
function numberOf({ number, noCents }) {
  return noCents ? `${number}${noCents[0]}00` : number;
}

/** The decimal mark that a cell shows beyond doubt, or "". @param {string} cell */
function decimalMark(cell) {
  const found = matchCell(toPlain(cell));
  const number = found ? numberOf(found) : "";
  return !number || AMBIGUOUS.test(number) ? "" : split(number).mark;
}

/** A number that is not ambiguous. @param {string} number @returns {{digits: string | null, mark: string}} digits with a point */
function split(number) {
  const marks = [...number].filter((letter) => ".,' ".includes(letter));
  if (!marks.length) return { digits: number, mark: "" };
  const last = marks[marks.length - 1];
  const kinds = new Set(marks).size;
  if (kinds === 1 && (!(last in OTHER_MARK) || marks.length > 1)) {
    const whole = joinGroups(number, last);
    return { digits: whole, mark: whole === null ? "" : (OTHER_MARK[last] ?? "") };
  }
  const at = number.lastIndexOf(last);
  const before = number.slice(0, at);
  const once = last in OTHER_MARK && marks.filter((mark) => mark === last).length === 1 && kinds <= 2;
  const whole = marks.length > 1 ? joinGroups(before, marks[0]) : before || "0";
  if (!once || whole === null) return { digits: null, mark: "" };
  return { digits: `${whole}.${number.slice(at + 1)}`, mark: last };
}

/** `1,234,567` → `1234567`; null if the groups are neither thousands nor Indian. @param {string} whole @param {string} mark */
function joinGroups(whole, mark) {
  const [first, ...rest] = whole.split(mark).map((group) => group.length);
  const last = rest[rest.length - 1];
  const western = first >= 1 && first <= 3 && rest.every((length) => length === 3);
  const indian = mark === "," && first <= 2 && last === 3 && rest.slice(0, -1).every((length) => length === 2);
  return whole.startsWith("0") || !(western || indian) ? null : whole.replaceAll(mark, "");
}
