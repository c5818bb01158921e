import { byId } from "./dom.js";
import { formatUsd, toCents } from "./money.js";

/** @import {Track} from "./tracker.js" */

/** Announces each item that is newly sure in the live region and, if the user wants it, by a sound. */
export class Announcer {
  #region = byId("live", HTMLParagraphElement);
  /** @type {Map<number, string>} id of a track → what it was announced as */
  #told = new Map();
  /** @type {AudioContext | null} */
  #audio = null;
  sound = false;

  /** Say something that is no track. @param {string} text */
  tell(text) {
    this.#region.textContent = text;
  }

  /** @param {Track[]} tracks */
  hear(tracks) {
    const fresh = tracks.filter(({ id, sure, reading }) => sure && this.#told.get(id) !== reading.item.key);
    this.#told = new Map(tracks.filter(({ sure }) => sure).map(({ id, reading }) => [id, reading.item.key]));
    if (!fresh.length) return;
    const words = fresh.map(({ reading: { item, price } }) => {
      const cents = toCents(price?.usd);
      return [item.name, item.rarity, cents === null ? "no price" : formatUsd(cents)].filter(Boolean).join(", ");
    });
    this.#region.textContent = `Recognized: ${words.join("; ")}`;
    if (this.sound) this.#beep();
  }

  #beep() {
    this.#audio ??= new AudioContext();
    const [tone, gain, now] = [this.#audio.createOscillator(), this.#audio.createGain(), this.#audio.currentTime];
    tone.frequency.setValueAtTime(660, now);
    tone.frequency.setValueAtTime(880, now + 0.08);
    gain.gain.setValueAtTime(0.12, now);
    gain.gain.exponentialRampToValueAtTime(0.001, now + 0.25);
    tone.connect(gain).connect(this.#audio.destination);
    tone.start(now);
    tone.stop(now + 0.26);
  }
}
