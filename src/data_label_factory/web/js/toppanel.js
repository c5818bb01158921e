import { thumbnail, topPrices } from "./api.js";
import { byId, h, picture } from "./dom.js";
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
