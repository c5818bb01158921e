import assert from "node:assert/strict";
import test from "node:test";

/** @type {Map<string, string>} */
const kept = new Map();
globalThis.localStorage = /** @type {any} */ ({
  getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
  setItem: (/** @type {string} */ name, /** @type {string} */ text) => kept.set(name, text),
});
globalThis.window = /** @type {any} */ (globalThis);
const { Outbox } = await import("../../src/data_label_factory/web/js/outbox.js");
const { ApiError } = await import("../../src/data_label_factory/web/js/apierror.js");

const KEPT_AS = "data_label_factory.outbox";
/** @param {string} key */
const take = (key) => ({ key, list: 1, entry: { item: `${key}.jpg` }, merge: true });
const keptKeys = () => JSON.parse(kept.get(KEPT_AS) ?? "[]").map((/** @type {any} */ { key }) => key);
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test("takes are sent in their order, and kept until they are confirmed", async () => {
  kept.clear();
  /** @type {string[]} */
  const sent = [];
  /** @type {(() => void)[]} */
  const confirm = [];
  const outbox = new Outbox(
    (takes) => new Promise((resolve) => confirm.push(() => resolve(takes.map(({ key }) => sent.push(key))))),
    () => undefined,
  );
  for (const key of ["a", "b"]) outbox.add(take(key));
  assert.deepEqual(keptKeys(), ["a", "b"]);
  confirm[0]();
  await settle();
  assert.deepEqual(keptKeys(), ["b"]);
  confirm[1]();
  await settle();
  assert.deepEqual([keptKeys(), sent, outbox.waiting], [[], ["a", "b"], 0]);
  assert.equal(await outbox.recall("a"), 1);
});

test("what is refused waits and says why, and is sent by the next page", async () => {
  kept.clear();
  const refusing = new Outbox(
    () => Promise.reject(new ApiError("No key was given", 401)),
    () => undefined,
  );
  refusing.add(take("a"));
  await settle();
  assert.deepEqual([refusing.waiting, refusing.problem, keptKeys()], [1, "No key was given", ["a"]]);
  const next = new Outbox(
    async (takes) => takes.map(() => 7),
    () => undefined,
  );
  await next.send();
  assert.deepEqual([keptKeys(), next.problem], [[], ""]);
});

test("a list that refuses holds up no other", async () => {
  kept.clear();
  /** @type {string[]} */
  const sent = [];
  const outbox = new Outbox(
    async (takes) => {
      if (takes[0].list === 1) throw new ApiError("There is no such list", 404);
      return takes.map(({ key }) => sent.push(key));
    },
    () => undefined,
  );
  for (const [key, list] of /** @type {const} */ ([
    ["a", 1],
    ["b", 2],
    ["c", 1],
    ["d", 2],
  ]))
    outbox.add({ ...take(key), list });
  await settle();
  assert.deepEqual([sent, keptKeys(), outbox.problem], [["b", "d"], ["a", "c"], "There is no such list"]);
});

test("what is taken back before it was sent never is", async () => {
  kept.clear();
  const outbox = new Outbox(
    () => Promise.reject(new ApiError("gone", 404)),
    () => undefined,
  );
  for (const key of ["a", "b"]) outbox.add(take(key));
  await settle();
  assert.equal(await outbox.recall("b"), null);
  assert.deepEqual(keptKeys(), ["a"]);
});

test("two tabs do not lose each other's", async () => {
  kept.clear();
  const [one, other] = [1, 2].map(
    () =>
      new Outbox(
        () => Promise.reject(new ApiError("no", 403)),
        () => undefined,
      ),
  );
  one.add(take("a"));
  other.add(take("b"));
  one.add(take("c"));
  assert.deepEqual(keptKeys().sort(), ["a", "b", "c"]);
});
