import assert from "node:assert/strict";
import test from "node:test";

globalThis.matchMedia ??= () => ({ matches: false }); // of the page, which the modules ask
globalThis.document ??= { baseURI: "http://localhost/canvas/live" };
const { addCopies, Clash, edit } = await import("../../src/data_label_factory/web/js/listedit.js");
const { Conflict } = await import("../../src/data_label_factory/web/js/listsapi.js");

/** A server with one entry, as others change it. */
class Server {
  /** @type {any} */
  entry = { id: 1, version: 1, name: "Owl", quantity: 2, condition: "", note: "" };

  /** Somebody else changes it. @param {object} changes */
  other(changes) {
    this.entry = { ...this.entry, ...changes, version: this.entry.version + 1 };
  }

  /** @type {import("../../src/data_label_factory/web/js/listedit.js").Change} */
  change = async (known, changes) => {
    if (!this.entry || known.version !== this.entry.version) throw new Conflict("changed", this.entry);
    this.other(changes);
    return this.entry;
  };
}

test("copies add to those that are there by now", async () => {
  const server = new Server();
  const known = server.entry;
  server.other({ quantity: 5 });
  assert.equal((await addCopies(server.change, known, 1))?.quantity, 6);
  assert.equal((await addCopies(server.change, known, -1))?.quantity, 5);
});

test("the last copy is not taken away by counting", async () => {
  const server = new Server();
  const known = server.entry;
  server.other({ quantity: 1 });
  assert.equal(await addCopies(server.change, known, -1), null);
  assert.equal(server.entry.quantity, 1);
});

test("an edit keeps what somebody else has changed in other fields", async () => {
  const server = new Server();
  const known = server.entry;
  server.other({ condition: "played" });
  const left = await edit(server.change, known, { note: "bent" });
  assert.deepEqual([left.condition, left.note], ["played", "bent"]);
});

test("of one field, the later is told what the other wrote, and decides", async () => {
  const server = new Server();
  const known = server.entry;
  server.other({ note: "signed" });
  const clash = await edit(server.change, known, { note: "bent" }).catch((error) => error);
  assert.ok(clash instanceof Clash);
  assert.match(clash.message, /note is signed now/);
  assert.equal(server.entry.note, "signed");
  assert.equal((await edit(server.change, clash.current, { note: "bent" })).note, "bent");
});

test("the same change by two is no clash, and what is gone is said", async () => {
  const server = new Server();
  const known = server.entry;
  server.other({ note: "bent" });
  assert.equal((await edit(server.change, known, { note: "bent" })).note, "bent");
  server.entry = null;
  await assert.rejects(edit(server.change, known, { note: "x" }), /taken out meanwhile/);
});
