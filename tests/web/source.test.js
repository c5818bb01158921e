import assert from "node:assert/strict";
import test from "node:test";

import { Source } from "../../src/data_label_factory/web/js/source.js";

/** A page with an image whose decoding the test ends, and a video that does nothing. */
function makePage() {
  const canvas = {
    width: 0,
    height: 0,
    getContext: () => ({ drawImage: () => undefined }),
    toBlob: (/** @type {(blob: Blob) => void} */ resolve) => resolve(new Blob(["jpeg"])),
  };
  Object.assign(globalThis, { document: { hidden: false, createElement: () => canvas } });
  /** @type {(() => void)[]} */
  const decoding = [];
  const still = {
    src: "",
    naturalWidth: 40,
    naturalHeight: 30,
    decode: () => new Promise((resolve) => decoding.push(() => resolve(undefined))),
    removeAttribute: () => undefined,
  };
  const video = { pause: () => undefined, load: () => undefined, removeAttribute: () => undefined };
  return { still, video, decoding };
}

test("each of several pictures is taken once it is there, whoever asks while it loads", async () => {
  const { still, video, decoding } = makePage();
  /** @type {Promise<Blob | null>[]} */
  const taken = [];
  // As the loop does: a change begins it anew, and what it had taken before is dropped.
  const source = new Source(/** @type {any} */ (video), /** @type {any} */ (still), () => {
    taken.length = 0;
    taken.push(source.takeFrame());
  });
  const files = ["a.png", "b.png", "c.png"].map((name) => new File(["x"], name));
  for (const page of [1, 2, 3]) {
    const turned = page === 1 ? source.useImages(files) : source.turnTo(page);
    assert.equal(await source.takeFrame(), null, "it is not there yet");
    decoding.pop()?.();
    await turned;
    assert.equal(taken.length, 1);
    assert.ok(await taken[0], `picture ${page}`);
    assert.equal(await source.takeFrame(), null, "one answer is enough");
    source.retake();
    assert.ok(await source.takeFrame(), "unless it is asked for again");
  }
});

test("a picture that was turned away from before it was there is never taken", async () => {
  const { still, video, decoding } = makePage();
  let changes = 0;
  const source = new Source(/** @type {any} */ (video), /** @type {any} */ (still), () => changes++);
  const first = source.useImages(["a.png", "b.png"].map((name) => new File(["x"], name)));
  const second = source.turnTo(2);
  decoding[0]();
  await first;
  assert.equal(await source.takeFrame(), null);
  decoding[1]();
  await second;
  assert.equal(changes, 1);
  assert.ok(await source.takeFrame());
});
