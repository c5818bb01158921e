const COUNT = /^[x×]?\s*(\d+|\d{1,3}(?:[,.' ’]\d{3})+)(?:[.,]0{1,2})?\s*[x×]?$/i;

/** A number of copies: `2`, `2x`, `x2`, `1,200`. @param {unknown} value @returns {number | string} or why it is none */
export function readCount(value) {
  const text = String(value ?? "").trim();
  if (!text) return "no count";
  const digits = typeof value === "number" ? String(Math.floor(value)) : COUNT.exec(text)?.[1]?.replaceAll(/\D/g, "");
  const count = digits === undefined ? NaN : Number(digits);
  if (!Number.isFinite(count)) return `count ‘${text.slice(0, 40)}’ is not a whole number`;
  if (count < 1) return `count ‘${text.slice(0, 40)}’ is less than one`;
  return count;
}
