/** Sums use whole cents, so that rounding errors do not add up. */

/** @param {number | null | undefined} amount @returns {number | null} cents, or null for an invalid price */
export function toCents(amount) {
  return typeof amount === "number" && Number.isFinite(amount) && amount >= 0 ? Math.round(amount * 100) : null;
}

/** @param {number} cents @returns {string} such as $1,234.50 */
export function formatUsd(cents) {
  return new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(cents / 100);
}

/**
 * @param {number} amount @param {string} currency ISO 4217
 * @returns {string} such as ¥1,980; with the code itself if the browser does not know it
 */
export function formatMoney(amount, currency) {
  const digits = Number.isInteger(amount) ? { maximumFractionDigits: 0 } : {};
  try {
    return new Intl.NumberFormat("en-US", { style: "currency", currency, ...digits }).format(amount);
  } catch {
    return `${amount.toLocaleString("en-US")} ${currency}`.trim();
  }
}

/**
 * A sum in US dollars and, added by nobody, in the currencies that have no rate to it.
 * @param {number} cents of US dollars @param {ReadonlyMap<string, number>} others currency → hundredths
 * @returns {string} such as $3.00, €12.50, or $3.00 + €12.50
 */
export function formatSum(cents, others) {
  const foreign = [...others].map(([currency, hundredths]) => formatMoney(hundredths / 100, currency));
  return [...(cents || !foreign.length ? [formatUsd(cents)] : []), ...foreign].join(" + ");
}

/** @param {string} date ISO 8601 @returns {string} such as 1 Nov 2026; empty for an invalid date */
export function formatDate(date) {
  const time = Date.parse(date);
  if (Number.isNaN(time)) return "";
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" }).format(time);
}
