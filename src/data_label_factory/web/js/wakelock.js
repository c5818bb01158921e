/** Keeps the screen on. Browsers that cannot are left alone. */
export class WakeLock {
  /** @type {WakeLockSentinel | null} */
  #lock = null;
  #isWanted = false;
  #isAsking = false;

  /** Hold it, or let it go. A page in the background loses it, so call this again once it is back. @param {boolean} wanted */
  async hold(wanted) {
    this.#isWanted = wanted;
    if (!wanted) {
      const lock = this.#lock;
      this.#lock = null;
      await lock?.release();
      return;
    }
    const isHeld = this.#lock !== null && !this.#lock.released;
    if (isHeld || this.#isAsking || document.hidden || !navigator.wakeLock) return;
    this.#isAsking = true;
    try {
      this.#lock = await navigator.wakeLock.request("screen");
    } catch {
      // The battery is low, or the system does not allow it: the screen goes dark as always.
    } finally {
      this.#isAsking = false;
    }
    if (!this.#isWanted) await this.hold(false);
  }
}
