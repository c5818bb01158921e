import { phone } from "./api.js";
import { ApiError } from "./apierror.js";
import { byId, h } from "./dom.js";

const HOW = "Start the server with --lan. A phone in the same network can then open this page and be its camera.";
const SVG = "http://www.w3.org/2000/svg";

/** Shows the code that a phone has to scan. It has the key, so it is fetched when it is asked for and not kept. */
export class PhonePanel {
  #panel = byId("phone-panel", HTMLDetailsElement);
  #place = byId("phone-code", HTMLDivElement);

  constructor() {
    this.#panel.addEventListener("toggle", () => (this.#panel.open ? this.#show() : this.#place.replaceChildren()));
  }

  async #show() {
    try {
      const { link, code, fingerprint, is_own_certificate: isOwn } = await phone();
      if (!link) return this.#say(HOW);
      const warning = isOwn
        ? "The phone warns once, because the server made its certificate itself. Press Advanced or Details, then go on to the page. "
        : "";
      const print = fingerprint ? `SHA-256 fingerprint: ${fingerprint}. ` : "";
      this.#place.replaceChildren(
        draw(code),
        h("p", {}, "Scan this with a phone in the same network, or type"),
        h("p", { class: "address" }, link),
        h("p", { class: "soft note" }, `${warning}${print}Whoever has the address can use the server.`),
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#say(error.status === 404 ? "This server is of another kind and has no code for phones." : error.message);
    }
  }

  /** @param {string} text */
  #say(text) {
    this.#place.replaceChildren(h("p", { class: "soft" }, text));
  }
}

/** @param {{size: number, path: string}} code */
function draw({ size, path }) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "The address as a code to scan");
  const dark = document.createElementNS(SVG, "path");
  dark.setAttribute("d", path);
  svg.append(dark);
  return svg;
}
