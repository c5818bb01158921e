import { h } from "./dom.js";
import { formatDate, formatMoney, formatUsd, toCents } from "./money.js";

/** @import {Price} from "./types.js" */

/** The price in US dollars, below it the original currency, and the date of the price as a tooltip. @param {Price | null} price */
export function priceTag(price) {
  const cents = toCents(price?.usd);
  if (!price || (cents === null && price.amount === null)) {
    return h("span", { class: "price" }, h("b", { class: "none" }, "No price"));
  }
  const date = formatDate(price.date);
  const original = price.amount === null ? "" : formatMoney(price.amount, price.currency);
  const title = date ? `Price of ${date}` : "";
  if (cents === null) {
    return h("span", { class: "price", title }, h("b", {}, original), h("small", {}, "no exchange rate to USD"));
  }
  const beneath = [price.currency === "USD" ? "" : original, date && `as of ${date}`].filter(Boolean).join(" · ");
  return h("span", { class: "price", title }, h("b", {}, formatUsd(cents)), beneath ? h("small", {}, beneath) : null);
}
