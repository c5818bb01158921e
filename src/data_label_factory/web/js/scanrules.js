import { cover, drift } from "./geometry.js";
import { isSameItem } from "./tracker.js";

/** @import {Box, Reading, Sighting} from "./types.js" */
/** @import {Track} from "./tracker.js" */

export const STEADY_MS = 250; // sure for so long, in two answers: shorter than anybody shows a card
export const COPY_MS = 600; // for a second one beside it: a thing that moves is seen twice for up to 400 ms
export const HOLD_MS = 1500; // a thing that was lifted and put back is away for less
export const REVIEW_MS = 600; // unsure for so long; most things are sure before
export const CORRECT_MS = 10_000; // a server looks at a thing again after four seconds at most
export const EMPTY_MS = 2000; // nothing shown for so long
const STEADY_ANSWERS = 2;
const GONE_ANSWERS = 2; // one answer without it may be a slip
const MOST_DRIFT = 0.35; // diagonals within a steady stay; a hand that brings a card moves it by more
const SAME_PLACE = 0.3; // of the smaller box, as the tracker has it
const GAPLESS_MS = 400;

/** @typedef {"new" | "review" | "taken" | "settled"} State  settled: the user has said what it is */

/**
 * @typedef {object} Thing   what lies in one place from when it comes until it has left
 * @property {number} no     unique
 * @property {number} id     of its newest track
 * @property {Track} track   its newest
 * @property {Box} box
 * @property {State} state
 * @property {number} takenAt  ms
 * @property {Reading | null} takenAs
 * @property {number} seenAt   ms
 * @property {number | null} missedAt  of the first answer without it, ms
 * @property {number} misses   answers without it
 * @property {Stay} stay
 *
 * @typedef {object} Stay      for how long it has been as it is
 * @property {Reading} reading
 * @property {boolean} sure
 * @property {Box} box
 * @property {number} since    ms
 * @property {number} answers
 *
 * @typedef {object} Action
 * @property {"take" | "rename" | "review" | "withdraw" | "empty"} kind  take: one more row; rename: the row of that thing
 *   has another name; review: the user is to say what it is; withdraw: no more; empty: nothing was shown for a while after
 *   something was taken
 * @property {number} no       of the thing
 * @property {Track | null} track
 * @property {number} review   of the thing whose place in the review this ends, or 0
 */

/**
 * When to take a thing: pure, without a clock of its own. A thing is what lies in one place under one name, whatever its
 * tracks are called. It has left once answers lack it for a while, or once another thing was taken in its place; an answer
 * that never came says nothing.
 */
export class ScanRules {
  /** @type {Thing[]} */
  #things = [];
  #nextNo = 1;
  #emptySince = NaN;
  #isArmed = false; // something was taken since the picture was empty last

  /** One answer's tracks. @param {Track[]} tracks @param {number} now ms @returns {Action[]} */
  see(tracks, now) {
    const seen = tracks.filter(({ justSeen }) => !justSeen);
    const present = new Set(seen.map((track) => this.#update(track, now)));
    for (const thing of this.#things) if (!present.has(thing)) miss(thing, now);
    this.#things = this.#things.filter((thing) => !hasLeft(thing, now));
    const actions = [...present].flatMap((thing) => this.#judge(thing, present, now));
    return [...actions, ...this.#watchEmpty(tracks.length, now)];
  }

  /**
   * Take what is in view and not taken yet, be it sure or not; if there is nothing such, one more of the newest.
   * @param {number} now ms @returns {Action[]}
   */
  take(now) {
    const present = this.#things.filter(({ misses }) => !misses);
    const fresh = present.filter(({ state }) => state === "new" || state === "review");
    if (fresh.length) return fresh.map((thing) => this.#take(thing, now));
    const newest = present.sort((a, b) => b.takenAt - a.takenAt || b.no - a.no).slice(0, 1);
    return newest.map((thing) => action("take", thing));
  }

  /**
   * Something unsure that lies there steadily, though no track tells of it.
   * @param {Sighting} sighting @param {number} now ms @returns {Action[]}
   */
  ask(sighting, now) {
    // Ids of tracks are positive.
    const id = -this.#nextNo;
    const thing = this.#begin(
      { id, quad: sighting.quad, reading: sighting, sure: false, justSeen: false, seenAt: now },
      now,
    );
    return this.#review(thing);
  }

  /** The user has said what a thing is, or that it is nothing: it is not asked about or taken again. @param {number} no */
  settle(no) {
    const thing = this.#things.find((one) => one.no === no);
    if (thing) thing.state = "settled";
  }

  /** Forget everything, for another source. */
  reset() {
    this.#things = [];
    [this.#emptySince, this.#isArmed] = [NaN, false];
  }

  /** @param {Track} track @param {number} now @returns {Thing} */
  #update(track, now) {
    const known = this.#things.find(({ id }) => id === track.id);
    // An unsure name may change, and with it the track.
    const thing = known ?? this.#findUnsure(track, now) ?? this.#begin(track, now);
    const box = boxOf(track);
    if (isSameStay(thing.stay, track, box)) {
      thing.stay.answers += 1;
      thing.stay.reading = track.reading;
    } else thing.stay = begin(track, box, now);
    Object.assign(thing, { id: track.id, track, box, seenAt: now, missedAt: null, misses: 0 });
    return thing;
  }

  /** @param {Track} track @param {number} now @returns {Thing} */
  #begin(track, now) {
    const box = boxOf(track);
    const none = { takenAt: -Infinity, takenAs: null, missedAt: null, misses: 0 };
    /** @type {Thing} */
    const thing = {
      ...{ no: this.#nextNo++, id: track.id, track, box, state: "new", seenAt: now, ...none },
      stay: { ...begin(track, box, now), answers: 0 },
    };
    this.#things.push(thing);
    return thing;
  }

  /** What was just there, as unsure, and not asked about yet. @param {Track} track @param {number} now */
  #findUnsure(track, now) {
    if (track.sure !== false) return undefined;
    return this.#things.find(
      (thing) =>
        thing.state === "new" &&
        !thing.stay.sure &&
        thing.seenAt < now &&
        now - thing.seenAt <= GAPLESS_MS &&
        cover(thing.box, boxOf(track)) >= SAME_PLACE,
    );
  }

  /** @param {Thing} thing in the newest answer @param {Set<Thing>} present @param {number} now @returns {Action[]} */
  #judge(thing, present, now) {
    const { stay, state } = thing;
    if (state === "settled") return [];
    if (!stay.sure) return state === "new" && isSteady(stay, REVIEW_MS, now) ? this.#review(thing) : [];
    if (state === "taken") return this.#correct(thing, now);
    const twins = [...present].filter((other) => other !== thing && isSame(other, thing));
    if (twins.some((other) => isInPlace(other, thing))) return []; // seen twice
    const isCopy = twins.some((other) => other.state === "taken" || other.state === "settled");
    if (!isSteady(stay, isCopy ? COPY_MS : STEADY_MS, now)) return [];
    return this.#absorb(thing) ?? [this.#take(thing, now)];
  }

  /** A name that a server has thought better of. @param {Thing} thing that is taken @param {number} now @returns {Action[]} */
  #correct(thing, now) {
    const { takenAs, takenAt, stay } = thing;
    if (!takenAs || isSameItem(takenAs, stay.reading) || !isSteady(stay, STEADY_MS, now)) return [];
    if (now - takenAt > CORRECT_MS) return [this.#take(Object.assign(thing, { no: this.#nextNo++ }), now)];
    thing.takenAs = stay.reading;
    return [action("rename", thing)];
  }

  /**
   * One that was taken and has not left may come back, or move, under another track. @param {Thing} thing
   * @returns {Action[] | null} null if it is none
   */
  #absorb(thing) {
    const before = this.#findBefore(thing, (other) => other.state === "taken" || other.state === "settled");
    if (!before) return null;
    const withdrawn = thing.state === "review" ? [{ ...action("withdraw", thing), review: thing.no }] : [];
    this.#become(thing, before);
    return withdrawn;
  }

  /** @param {Thing} thing @param {number} now @returns {Action} */
  #take(thing, now) {
    const asked = thing.state === "review" ? thing : this.#findBefore(thing, isAskedIn(thing));
    const review = asked?.no ?? 0;
    if (asked && asked !== thing) this.#things = this.#things.filter((other) => other !== asked);
    Object.assign(thing, { state: "taken", takenAt: now, takenAs: thing.track.reading });
    this.#displace(thing);
    this.#isArmed = true;
    return { ...action("take", thing), review };
  }

  /** @param {Thing} thing @returns {Action[]} */
  #review(thing) {
    const before = this.#findBefore(thing, isAskedIn(thing));
    if (before) {
      this.#become(thing, before);
      return [];
    }
    thing.state = "review";
    this.#displace(thing);
    return [action("review", thing)];
  }

  /** One of the same name that is out of sight and has not left. @param {Thing} thing @param {(other: Thing) => boolean} isIt */
  #findBefore(thing, isIt) {
    return this.#things.find((other) => other.misses > 0 && isSame(other, thing) && isIt(other));
  }

  /** @param {Thing} thing @param {Thing} before the same thing under another track */
  #become(thing, before) {
    this.#things = this.#things.filter((other) => other !== before);
    Object.assign(thing, { no: before.no, state: before.state, takenAt: before.takenAt, takenAs: before.takenAs });
  }

  /** What was in its place has left; of what is asked about, only if it may not be the same. @param {Thing} thing */
  #displace(thing) {
    const mayBe = (/** @type {Thing} */ other) => other === thing || (thing.state === "review" && isSame(other, thing));
    this.#things = this.#things.filter((other) => mayBe(other) || !other.misses || !isInPlace(other, thing));
  }

  /** @param {number} count of tracks @param {number} now @returns {Action[]} */
  #watchEmpty(count, now) {
    if (count) this.#emptySince = NaN;
    else if (Number.isNaN(this.#emptySince)) this.#emptySince = now;
    if (!this.#isArmed || !(now - this.#emptySince >= EMPTY_MS)) return [];
    this.#isArmed = false;
    return [{ kind: "empty", no: 0, track: null, review: 0 }];
  }
}

/** @param {Action["kind"]} kind @param {Thing} thing @returns {Action} */
function action(kind, thing) {
  return { kind, no: thing.no, track: thing.track, review: 0 };
}

/** @param {Track} track @param {Box} box @param {number} now @returns {Stay} */
function begin({ reading, sure }, box, now) {
  return { reading, sure: sure !== false, box, since: now, answers: 1 };
}

/** Whether a track is as before: sure of the same name or unsure, and about where it was. @param {Stay} stay @param {Track} track @param {Box} box */
function isSameStay(stay, { sure, reading }, box) {
  if (stay.sure !== (sure !== false) || drift(stay.box, box) > MOST_DRIFT) return false;
  return !stay.sure || isSameItem(stay.reading, reading);
}

/** @param {Stay} stay @param {number} ms @param {number} now */
function isSteady(stay, ms, now) {
  return stay.answers >= STEADY_ANSWERS && now - stay.since >= ms;
}

/** @param {Thing} thing @param {number} now */
function miss(thing, now) {
  thing.missedAt ??= now;
  thing.misses += 1;
}

/** @param {Thing} thing @param {number} now */
function hasLeft({ missedAt, misses }, now) {
  return missedAt !== null && misses >= GONE_ANSWERS && now - missedAt >= HOLD_MS;
}

/** @param {Thing} one @param {Thing} other */
function isSame(one, other) {
  return isSameItem(one.stay.reading, other.stay.reading);
}

/** Whether the user is, or was, asked about one in the same place. @param {Thing} thing @returns {(other: Thing) => boolean} */
function isAskedIn(thing) {
  return ({ state, box }) => (state === "review" || state === "settled") && cover(box, thing.box) >= SAME_PLACE;
}

/** @param {Thing} one @param {Thing} other */
function isInPlace(one, other) {
  return cover(one.box, other.box) >= SAME_PLACE;
}

/** The upright box around a track's outline. @param {Track} track @returns {Box} */
function boxOf({ quad }) {
  const [xs, ys] = [quad.map(([x]) => x), quad.map(([, y]) => y)];
  return { x1: Math.min(...xs), y1: Math.min(...ys), x2: Math.max(...xs), y2: Math.max(...ys) };
}
