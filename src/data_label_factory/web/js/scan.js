import { cutOut, lookAt } from "./cutout.js";
import { formatSum } from "./money.js";
import { randomName } from "./random.js";
import { candidatesOf } from "./review.js";
import { listen } from "./scankeys.js";
import { ScanPanel } from "./scanpanel.js";
import { ScanProbe } from "./scanprobe.js";
import { ScanRules } from "./scanrules.js";
import { ScanRun } from "./scanrun.js";
import { ScanSound } from "./scansound.js";
import { load, save } from "./store.js";

/** @import {Asked} from "./review.js" */
/** @import {ReviewTray} from "./reviewtray.js" */
/** @import {Action} from "./scanrules.js" */
/** @import {Row, Spot} from "./scanrun.js" */
/** @import {Track} from "./tracker.js" */
/** @import {Item, Price, Sighting} from "./types.js" */

const CROP_PX = 240;
const KEPT_AS = "scan";

/**
 * @typedef {object} Keeper   where taken things are kept
 * @property {(row: Row) => void | Promise<void>} take
 * @property {(row: Row) => void} untake
 * @property {(row: Row, item: Item, price: Price | null) => void} retake
 *
 * @typedef {{sound: boolean, shakes: boolean, emptyUndoes: boolean}} Options
 */

/** Hands-free: what is shown is taken by the rules of `scanrules.js`, and what is unsure is asked about. */
export class Scan {
  isOn = false;
  /** @type {Options} */
  options = { sound: true, shakes: true, emptyUndoes: false, ...load(KEPT_AS, readOptions).value };
  #rules = new ScanRules();
  #probe = new ScanProbe();
  #run = new ScanRun();
  #sound = new ScanSound();
  /** @type {Blob | null} the newest */
  #frame = null;

  /**
   * @param {object} parts
   * @param {Keeper} parts.keeper
   * @param {ReviewTray} parts.tray
   * @param {(text: string) => void} parts.tell   to who cannot see it
   * @param {() => void} parts.onStart            scanning has begun
   * @param {(frame: Blob) => Promise<Sighting[]>} parts.look  what a frame shows on its own
   */
  constructor({ keeper, tray, tell, onStart, look }) {
    this.keeper = keeper;
    this.tray = tray;
    this.tell = tell;
    this.onStart = onStart;
    this.look = look;
    tray.onChoose = (asked, item) => this.#choose(asked, item);
    tray.onDismiss = (asked) => this.#dismiss(asked);
    this.panel = new ScanPanel(this.options, {
      mode: () => this.turn(!this.isOn),
      undo: () => this.undo(),
      take: () => this.#act(this.#rules.take(performance.now()), this.#frame),
      remove: (row) => this.#remove(row),
      options: (changes) => this.#set(changes),
      clear: () => this.#clear(),
    });
    this.#set({});
    listen((deed, number) => this.#press(deed, number));
  }

  /** @param {boolean} isOn */
  turn(isOn) {
    this.isOn = isOn;
    this.reset();
    this.panel.turn(isOn);
    this.tell(isOn ? "Scanning: show one thing after the other." : "Scanning has stopped.");
    if (!isOn) return;
    this.#sound.unlock();
    this.onStart();
  }

  /**
   * One answer.
   * @param {Track[]} tracks @param {number} taken ms @param {Blob} frame
   * @param {{isTracked: boolean, isStill: boolean}} how  by the server; nothing has moved for a while
   */
  see(tracks, taken, frame, { isTracked, isStill }) {
    if (!this.isOn) return;
    this.#frame = frame;
    this.#act(this.#rules.see(tracks, taken), frame);
    if (isTracked && this.#probe.isDue(tracks, taken, isStill)) this.#ponder(frame);
  }

  /** One thing of a picture: taken if it is sure, else asked about. @param {Blob} picture @param {Sighting} sighting @param {Spot} spot */
  async takeFrom(picture, { quad, ...reading }, spot) {
    const [key, crop] = [randomName(), cutOut(picture, quad, CROP_PX)];
    const { item, price, confident } = reading;
    if (confident !== false) {
      const row = { key, thing: 0, item, price, crop, spot };
      this.#run.take(row);
      await this.keeper.take(row);
      this.#show(row);
    } else this.tray.add({ key, thing: 0, candidates: candidatesOf(reading), price, crop: await crop, spot });
  }

  /** Another source: what lies there is another thing. */
  reset() {
    this.#rules.reset();
    this.#probe.reset();
  }

  undo() {
    const step = this.#run.undo();
    if (!step) return false;
    const { kind, row, asked } = step;
    if (row && kind === "take") this.keeper.untake(row);
    if (row && kind === "remove") this.keeper.take(row);
    if (asked) this.tray.putBack(asked);
    const name = row?.item.name ?? asked?.candidates[0]?.name ?? "";
    this.#cue("undo", kind === "take" ? `Taken back: ${name}` : `Back again: ${name}`);
    this.#show(null);
    return true;
  }

  /** @param {Action[]} actions @param {Blob | null} frame */
  #act(actions, frame) {
    for (const { kind, no, track, review } of actions) {
      if (kind === "empty" && this.options.emptyUndoes) this.undo();
      if (kind === "withdraw") this.tray.removeThing(review);
      if (!track) continue;
      if (kind === "take") this.#take(no, track, this.tray.removeThing(review), frame);
      if (kind === "rename") this.#rename(no, track);
      if (kind === "review" && frame) this.#ask(no, track, frame);
    }
    return actions.length > 0;
  }

  /** @param {number} thing @param {Track} track @param {Asked | null} asked @param {Blob | null} frame */
  #take(thing, { reading: { item, price }, quad }, asked, frame) {
    const crop = frame ? cutOut(frame, quad, CROP_PX) : Promise.resolve(asked?.crop ?? "");
    this.#add({ key: randomName(), thing, item, price, crop }, asked);
  }

  /** @param {Row} row @param {Asked | null} asked */
  #add(row, asked) {
    this.#run.take(row, asked);
    this.keeper.take(row);
    this.#cue("take", `Taken: ${[row.item.name, row.item.rarity].filter(Boolean).join(", ")}`);
    this.#show(row);
  }

  /** @param {number} thing @param {Track} track */
  #rename(thing, { reading: { item, price } }) {
    const row = this.#run.find(thing);
    if (!row) return; // it was taken back
    this.keeper.retake(row, item, price);
    Object.assign(row, { item, price });
    this.#cue("take", `Corrected: ${item.name}`);
    this.#show(row);
  }

  /** @param {number} thing @param {Track} track @param {Blob} frame */
  async #ask(thing, { reading, quad }, frame) {
    const asked = { key: randomName(), thing, candidates: candidatesOf(reading), price: reading.price };
    this.tray.add({ ...asked, crop: "" });
    this.#cue("ask", `Not sure: perhaps ${reading.item.name}`);
    this.tray.picture(asked.key, await cutOut(frame, quad, CROP_PX));
  }

  /** Look for what no track tells of. @param {Blob} frame */
  async #ponder(frame) {
    const ask = async () => {
      const unsure = (await this.look(frame)).filter(({ confident }) => confident === false);
      const looks = await lookAt(
        frame,
        unsure.map(({ quad }) => quad),
      );
      return unsure.map((sighting, i) => ({ sighting, look: looks[i] }));
    };
    const found = await this.#probe.probe(ask, () => performance.now());
    for (const sighting of found) this.#act(this.#rules.ask(sighting, performance.now()), frame);
  }

  /** @param {Asked} asked @param {Item} item */
  #choose(asked, item) {
    this.#rules.settle(asked.thing);
    const price = item === asked.candidates[0] ? asked.price : null;
    this.#add(
      {
        key: randomName(),
        thing: asked.thing,
        item,
        price,
        crop: Promise.resolve(asked.crop),
        spot: asked.spot,
      },
      asked,
    );
  }

  /** @param {Asked} asked */
  #dismiss(asked) {
    this.#rules.settle(asked.thing);
    this.#run.dismiss(asked);
    this.#cue("undo", "Left out");
    this.#show(null);
  }

  /** @param {Row} row */
  #remove(row) {
    this.#run.remove(row);
    this.keeper.untake(row);
    this.#cue("undo", `Taken out: ${row.item.name}`);
    this.#show(null);
  }

  /** Begin to count anew; what was taken stays taken. */
  #clear() {
    this.#run.clear();
    this.#show(null);
  }

  /** @param {import("./scankeys.js").Deed} deed @param {number} number */
  #press(deed, number) {
    if (deed === "mode") this.turn(!this.isOn);
    else if (deed === "choose") return this.tray.choose(number);
    else if (deed === "dismiss") return this.tray.dismissFirst();
    else if (deed === "undo") return this.undo();
    else if (!this.isOn) return false;
    else if (!this.#act(this.#rules.take(performance.now()), this.#frame)) this.tell("Nothing is in view.");
    return true;
  }

  /** @param {Partial<Options>} changes */
  #set(changes) {
    this.options = { ...this.options, ...changes };
    this.#sound.isMuted = !this.options.sound;
    this.#sound.shakes = this.options.shakes;
    if (Object.keys(changes).length) save(KEPT_AS, JSON.stringify(this.options));
  }

  /** @param {import("./scansound.js").Cue} cue @param {string} text */
  #cue(cue, text) {
    this.#sound.play(cue);
    const totals = this.#run.totals;
    this.tell(`${text}. ${totals.count} taken, ${formatSum(totals.cents, totals.others)}.`);
  }

  /** @param {Row | null} newest */
  #show(newest) {
    this.panel.show(this.#run, newest);
  }
}

/** @param {string} text @returns {Partial<Options>} */
function readOptions(text) {
  const { sound, shakes, emptyUndoes } = JSON.parse(text);
  return { sound: sound !== false, shakes: shakes !== false, emptyUndoes: emptyUndoes === true };
}
