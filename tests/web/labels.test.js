import assert from "node:assert/strict";
import test from "node:test";

Object.assign(globalThis, { document: { baseURI: "http://localhost/canvas/live" } });
const { difference, distinct, Labels, toItem } = await import("../../src/data_label_factory/web/js/labels.js");
const { topTitle } = await import("../../src/data_label_factory/web/js/toppanel.js");
const { perThings } = await import("../../src/data_label_factory/web/js/serverfacts.js");
const { addShortcuts, SHORTCUTS } = await import("../../src/data_label_factory/web/js/shortcuts.js");

/** @param {string} name @param {string} [rarity] @param {string} [set_code] */
function listed(name, rarity = "", set_code = "") {
  const filename = `x/${name}_${rarity}.jpg`;
  return { label: name, name, rarity, set_code, filename, ref_url: `/refs/${filename}` };
}

test("near-duplicates are told apart by what differs, and by their files if nothing does", () => {
  const [owl, rare, other, cub] = [
    listed("Owl", "UR", "AB-1"),
    listed("owl", "SR", "AB-1"),
    listed("Owl", "", ""),
    listed("Owl Cub", "UR", "AB-2"),
  ].map(toItem);
  assert.equal(difference(rare, owl), "SR");
  assert.equal(difference(other, owl), "no rarity · no set code");
  assert.equal(difference(cub, owl), "Owl Cub · AB-2");
  assert.equal(difference({ ...owl, refFilename: "y/owl_ur__2.png" }, owl), "owl_ur__2");
});

test("what an item may be instead is listed once, without the item itself and what nobody knows", () => {
  const items = [listed("Owl"), listed("Fox"), listed("Owl", "UR"), listed("Fox")].map(toItem);
  const names = distinct([items[0], null, ...items], items[0]).map(({ name, rarity }) => name + rarity);
  assert.deepEqual(names, ["Fox", "OwlUR"]);
});

test("the server is asked once for each file, and one that cannot tell is not asked again", async () => {
  /** @type {string[]} */
  const asked = [];
  let news = 0;
  globalThis.fetch = /** @type {any} */ (
    async (/** @type {string} */ url) => {
      asked.push(decodeURIComponent(url));
      if (url.includes("bad")) return { ok: false, status: 404, headers: new Headers(), json: async () => ({}) };
      return { ok: true, json: async () => ({ items: [listed("Owl Cub"), listed("Owl")], total: 2 }) };
    }
  );
  const labels = new Labels(() => news++);
  assert.equal(labels.find("x/Owl_.jpg"), null);
  labels.find("x/Owl_.jpg");
  assert.equal((await labels.ask("x/Owl_.jpg"))?.name, "Owl");
  assert.equal(labels.find("x/Owl_.jpg")?.name, "Owl");
  assert.equal(await labels.ask("bad.jpg"), null);
  assert.equal(await labels.ask("bad.jpg"), null);
  assert.equal(asked.length, 2);
  assert.match(asked[0], /q=x\/Owl_\.jpg$/);
  assert.equal(news, 1);
});

test("the most valuable are called what the list is called", () => {
  const titles = ["Deck", "Inventory", "Plants", "parts ", "Glass"].map(topTitle);
  const things = titles.map((title) => title.replace("Top Valuable ", ""));
  assert.deepEqual(things, ["Cards", "Items", "Plants", "parts", "Items"]);
});

test("the strictness is told in things, not in a rate", () => {
  assert.equal(perThings(0.01), "1 of 100 unknown things");
  assert.equal(perThings(0.0001), "1 of 10,000 unknown things");
  assert.equal(perThings(0), "none");
  assert.equal(perThings(1), "every unknown thing");
  assert.equal(perThings(undefined), "none");
});

test("others add their keys to the one table", () => {
  const before = SHORTCUTS.length;
  addShortcuts("Flying", [{ key: "F", does: "Fly" }]);
  assert.equal(SHORTCUTS.length, before + 1);
  assert.equal(SHORTCUTS[before].rows[0].does, "Fly");
});
