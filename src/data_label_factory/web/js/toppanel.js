import { thumbnail, topPrices } from "./api.js";
import { byId, h, picture, setText } from "./dom.js";
import { priceTag } from "./pricetag.js";
import { refUrlOf } from "./refurl.js";

const SHOWN = 10;
let shown = "[]";

/** The most expensive items of the collection; hidden if the server has no prices. */
export async function showTopPrices() {
  const rows = await topPrices(SHOWN).catch(() => []);
  const news = JSON.stringify(rows);
  if (news === shown) return;
  shown = news;
  byId("top-panel", HTMLElement).hidden = !rows.length;
  byId("top", HTMLOListElement).replaceChildren(...rows.map(row));
}

/** Call the items what the list is called. @param {string} word such as Deck, Inventory or Plants */
export function nameTopPrices(word) {
  setText(byId("top-title", HTMLHeadingElement), topTitle(word));
}

/** A deck has cards, plants are plants, and an inventory has items. @param {string} word */
export function topTitle(word) {
  const things = word.trim().toLowerCase() === "deck" ? "Cards" : /[^s]s$/i.test(word.trim()) ? word.trim() : "Items";
  return `Top Valuable ${things}`;
}

/** @param {any} top a row of /api/top-prices */
function row(top) {
  const url = typeof top.ref_filename === "string" ? thumbnail(refUrlOf(top.ref_filename), 120) : "";
  const price = {
    usd: top.usd_median ?? null,
    amount: top.median ?? null,
    currency: String(top.currency ?? ""),
    date: "",
    rarity: "",
  };
  const name = h("div", { class: "name" }, String(top.name ?? ""), h("small", {}, String(top.code ?? "")));
  return h("li", {}, picture(url, ""), name, priceTag(price));
}
