import { formatMoney, formatUsd } from "./money.js";

/** @import {Totals} from "./scanrun.js" */

/** Such as `$12.40 + €3.10`: sums of what is known, in dollars where they are. @param {Totals} totals @returns {string} */
export function formatTotals({ cents, others }) {
  const sums = [...others].map(([currency, amount]) => formatMoney(Math.round(amount * 100) / 100, currency));
  return [...(cents || !sums.length ? [formatUsd(cents)] : []), ...sums].join(" + ");
}
