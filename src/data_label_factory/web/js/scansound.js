/** Short tones and vibrations, made by the browser: no file is loaded. */

/** @typedef {"take" | "ask" | "undo"} Cue */

/** Hz, one after the other: up for taken, low for a question, down for taken back. @type {Record<Cue, number[]>} */
const TONES = { take: [784, 1175], ask: [330, 330], undo: [587, 392] };
/** ms on, off, on … @type {Record<Cue, number[]>} */
const SHAKES = { take: [40], ask: [25, 60, 25], undo: [15] };
const TONE_S = 0.09;
const LOUDNESS = 0.14;

export class ScanSound {
  isMuted = false;
  shakes = true;
  /** @type {AudioContext | null} */
  #audio = null;

  /** Browsers let a page sound only after a press: call this in one. */
  unlock() {
    this.#audio ??= new AudioContext();
    this.#audio.resume().catch(() => undefined);
  }

  /** @param {Cue} cue */
  play(cue) {
    if (this.shakes) navigator.vibrate?.(SHAKES[cue]);
    if (this.isMuted || !this.#audio || this.#audio.state !== "running") return;
    const begin = this.#audio.currentTime;
    TONES[cue].forEach((pitch, i) => this.#tone(pitch, begin + i * TONE_S));
  }

  /** @param {number} pitch Hz @param {number} begin s */
  #tone(pitch, begin) {
    const audio = /** @type {AudioContext} */ (this.#audio);
    const [tone, gain] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = pitch;
    gain.gain.setValueAtTime(LOUDNESS, begin);
    gain.gain.exponentialRampToValueAtTime(0.001, begin + TONE_S);
    tone.connect(gain).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + TONE_S);
  }
}
