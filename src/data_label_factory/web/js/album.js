import { ApiError } from "./apierror.js";
import { byId, h, setText } from "./dom.js";
import { readingOrder } from "./readorder.js";
import { column } from "./scanpanel.js";

/** @import {Scan} from "./scan.js" */
/** @import {Sighting} from "./types.js" */

const SIDE_PX = 4096; // of what is sent; a shelf of small things needs all that a phone's camera has
const QUALITY = 0.9;
const MOST_TRIES = 4;
const RETRY_MS = 1000;

/** @typedef {{taken: number, asked: number, nothing: string[], failed: string[]}} Tally */

/** Takes all things of pictures that were dropped in at once, in reading order; what is unsure is asked about. */
export class Album {
  #title = h("h2", { id: "album-title" }, "Pictures");
  #told = h("p", { class: "soft note", id: "album-told", role: "status" });
  #bar = h("progress", { max: 1, value: 0, hidden: true, "aria-labelledby": "album-title" });
  #start = h("button", { type: "button", class: "primary", id: "album-start" });
  #stop = h("button", { type: "button", hidden: true }, "Stop");
  #notes = h("ul", { class: "soft note" });
  #panel = h("section", { class: "panel album", id: "album-panel", hidden: true, "aria-labelledby": "album-title" });
  /** @type {readonly File[]} */
  #files = [];
  #abort = new AbortController();

  /** @param {Scan} scan @param {(picture: Blob, signal: AbortSignal) => Promise<Sighting[]>} look what a picture shows */
  constructor(scan, look) {
    this.scan = scan;
    this.look = look;
    const actions = h("div", { class: "actions" }, this.#start, this.#stop);
    this.#panel.append(this.#title, this.#told, this.#bar, actions, this.#notes);
    column().insertBefore(this.#panel, byId("tracks-panel", HTMLElement));
    this.#start.onclick = () => this.#run();
    this.#stop.onclick = () => this.#abort.abort();
  }

  /** @param {readonly File[]} files the pictures that are shown now; none: there is nothing to take */
  offer(files) {
    if (files === this.#files) return;
    this.#abort.abort();
    this.#files = files;
    this.#show(false);
    this.#panel.hidden = !files.length;
    setText(this.#start, files.length > 1 ? `Take all of ${files.length} pictures` : "Take all of this picture");
    setText(this.#told, "Everything sure is taken, row by row. What is unsure comes into the review.");
    this.#notes.replaceChildren();
  }

  async #run() {
    const files = this.#files;
    const { signal } = (this.#abort = new AbortController());
    /** @type {Tally} */
    const tally = { taken: 0, asked: 0, nothing: [], failed: [] };
    this.#show(true);
    let done = 0;
    for (const file of files) {
      if (signal.aborted) break;
      setText(this.#told, `${done + 1} of ${files.length}: ${file.name}`);
      await this.#take(file, tally, signal);
      if (!signal.aborted) this.#bar.value = ++done / files.length;
    }
    if (files !== this.#files) return;
    this.#show(false);
    this.#start.hidden = done === files.length;
    this.#report(tally, done, files.length);
  }

  /** @param {boolean} isRunning */
  #show(isRunning) {
    this.#bar.value = 0;
    this.#bar.hidden = this.#stop.hidden = !isRunning;
    this.#start.hidden = isRunning;
    if (isRunning) this.#notes.replaceChildren();
  }

  /** @param {File} file @param {Tally} tally @param {AbortSignal} signal */
  async #take(file, tally, signal) {
    try {
      const picture = await shrink(file);
      const found = await this.#ask(picture, signal);
      if (signal.aborted) return;
      if (!found.length) tally.nothing.push(file.name);
      for (const { thing, row, column } of readingOrder(found)) {
        const place = { page: file.name, row, column };
        if (thing.confident === false) tally.asked += 1;
        else tally.taken += 1;
        await this.scan.takeFrom(picture, thing, place);
      }
    } catch (error) {
      if (signal.aborted) return;
      tally.failed.push(`${file.name}: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** A server that is busy or away for a moment is asked again. @param {Blob} picture @param {AbortSignal} signal */
  async #ask(picture, signal) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.look(picture, signal);
      } catch (error) {
        const isPassing = error instanceof ApiError && [0, 429, 502, 503].includes(error.status);
        if (!isPassing || tries === MOST_TRIES || signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.max(error.waitMs, RETRY_MS * tries)));
      }
    }
  }

  /** @param {Tally} tally @param {number} done @param {number} count */
  #report({ taken, asked, nothing, failed }, done, count) {
    const stopped = done < count ? `Stopped after ${done} of ${count} pictures. ` : "";
    setText(this.#told, `${stopped}${taken} taken, ${asked} to review.`);
    const notes = [...failed, ...nothing.map((name) => `${name}: nothing of yours here`)];
    this.#notes.replaceChildren(...notes.map((note) => h("li", {}, note)));
  }
}

/** A picture as it is shown, upright, and no larger than the server needs. @param {File} file @returns {Promise<Blob>} */
async function shrink(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) throw new Error("this browser cannot read it. JPEG, PNG and WebP are safe choices");
  const scale = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = h("canvas", {
    width: Math.max(1, Math.round(bitmap.width * scale)),
    height: Math.max(1, Math.round(bitmap.height * scale)),
  });
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const picture = await new Promise((/** @type {BlobCallback} */ resolve) =>
    canvas.toBlob(resolve, "image/jpeg", QUALITY),
  );
  if (!picture) throw new Error("there is no room for it in memory");
  return picture;
}
