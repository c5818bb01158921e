const CLICK_MS = 300; // a tap's click comes after the finger has left, and goes to what lies there then
const RESTING_MS = 10_000; // a mouse that was left on the list is not about to press

/** Whether somebody is about to press something in a list, by mouse, finger or keyboard. */
export class Hold {
  #isOver = false;
  #isPressed = false;
  #activeAt = 0;
  #release = 0;

  /** @param {HTMLElement} list @param {() => void} onChange when it may have begun or ended */
  constructor(list, onChange) {
    this.list = list;
    const active = () => (this.#activeAt = performance.now());
    /** @param {{over?: boolean, pressed?: boolean}} news */
    const change = ({ over = this.#isOver, pressed = this.#isPressed }) => {
      [this.#isOver, this.#isPressed] = [over, pressed];
      active();
      onChange();
    };
    list.addEventListener("pointerenter", () => change({ over: true }));
    list.addEventListener("pointerleave", () => change({ over: false }));
    list.addEventListener("pointerdown", () => {
      clearTimeout(this.#release);
      change({ pressed: true });
    });
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, () => {
        clearTimeout(this.#release);
        if (this.#isPressed) this.#release = window.setTimeout(() => change({ pressed: false }), CLICK_MS);
      });
    }
    list.addEventListener("pointermove", active);
    list.addEventListener("keydown", active);
    list.addEventListener("focusin", () => change({}));
    list.addEventListener("focusout", () => setTimeout(() => change({})));
  }

  get isOn() {
    if (this.#isPressed) return true;
    if (performance.now() - this.#activeAt > RESTING_MS) return false;
    // What a click leaves focused is not about to be pressed by key.
    return this.#isOver || this.list.querySelector(":focus-visible") !== null;
  }
}
