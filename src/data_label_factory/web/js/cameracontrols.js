import { h, setText } from "./dom.js";

/** What some cameras have, and TypeScript's types lack. @typedef {{min: number, max: number, step?: number}} Range */
/** @typedef {MediaTrackCapabilities & {torch?: boolean, zoom?: Range}} Abilities */

/** The light and the zoom of a camera, where it has them. */
export class CameraControls {
  /** @type {MediaStreamTrack | null} */
  #track = null;
  /** @type {{torch?: boolean, zoom?: number}} what was asked for: each request has to repeat all of it */
  #wanted = {};
  #torch = h("button", { id: "torch", type: "button", hidden: true, "aria-pressed": "false" }, "Light");
  #zoom = h("input", { id: "zoom", type: "range" });
  #zoomText = h("output", { class: "soft" });
  #zoomLabel = h("label", { class: "inline zoom", hidden: true }, "Zoom ", this.#zoom, this.#zoomText);

  /** @param {HTMLElement} bar @param {HTMLElement} before  where in the bar */
  constructor(bar, before) {
    bar.insertBefore(this.#torch, before);
    bar.insertBefore(this.#zoomLabel, before);
    this.#torch.onclick = () => this.#set({ torch: this.#torch.getAttribute("aria-pressed") !== "true" });
    this.#zoom.oninput = () => this.#set({ zoom: this.#zoom.valueAsNumber });
  }

  /** Show what this camera can do. @param {MediaStreamTrack | null} track null: there is none */
  show(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#wanted = {};
    const abilities = /** @type {Abilities} */ (track?.getCapabilities?.() ?? {});
    this.#torch.hidden = abilities.torch !== true;
    const { zoom } = abilities;
    this.#zoomLabel.hidden = !zoom || zoom.max <= zoom.min;
    if (!this.#zoomLabel.hidden && zoom) {
      const { min, max } = zoom;
      Object.assign(this.#zoom, { min: String(min), max: String(max), step: String(zoom.step || (max - min) / 100) });
    }
    this.#refresh();
  }

  /** @param {{torch?: boolean, zoom?: number}} wanted */
  async #set(wanted) {
    const track = this.#track;
    if (!track) return;
    const before = this.#wanted;
    this.#wanted = { ...before, ...wanted };
    const advanced = /** @type {MediaTrackConstraintSet[]} */ ([this.#wanted]);
    try {
      await track.applyConstraints({ advanced });
    } catch {
      // Refused, for instance by a camera that just went: the settings say what is so.
      this.#wanted = before;
    }
    if (track === this.#track) this.#refresh();
  }

  /** Show what is set. */
  #refresh() {
    const settings = /** @type {{torch?: boolean, zoom?: number}} */ (this.#track?.getSettings() ?? {});
    this.#torch.setAttribute("aria-pressed", String(settings.torch === true));
    if (settings.zoom === undefined) return;
    this.#zoom.value = String(settings.zoom);
    const least = Number(this.#zoom.min) || 1;
    setText(this.#zoomText, `${(settings.zoom / least).toFixed(1)} ×`);
  }
}
