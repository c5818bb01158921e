const JPEG_QUALITY = 0.85;

/** Makes JPEGs of what is shown: of a video in a worker, if the browser has what that needs. */
export class Packer {
  #canvas = document.createElement("canvas");
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Set<(blob: Blob | null) => void>} */
  #waiting = new Set();

  constructor() {
    if (typeof OffscreenCanvas === "undefined" || typeof createImageBitmap === "undefined") return;
    this.#worker = new Worker(new URL("packworker.js", import.meta.url));
    this.#worker.onerror = () => {
      this.#worker = null;
      for (const resolve of this.#waiting) resolve(null);
      this.#waiting.clear();
    };
  }

  /**
   * The picture that is shown at the time of the call.
   * @param {HTMLVideoElement | HTMLImageElement} image @param {number} width @param {number} height px of the JPEG
   * @returns {Promise<Blob | null>}
   */
  pack(image, width, height) {
    if (this.#worker && image instanceof HTMLVideoElement) return this.#packAside(this.#worker, image, width, height);
    [this.#canvas.width, this.#canvas.height] = [width, height];
    this.#canvas.getContext("2d")?.drawImage(image, 0, 0, width, height);
    return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY));
  }

  /** @param {Worker} worker @param {HTMLVideoElement} video @param {number} width @param {number} height @returns {Promise<Blob | null>} */
  async #packAside(worker, video, width, height) {
    const bitmap = await createImageBitmap(video).catch(() => null); // its source may have been closed
    if (!bitmap) return null;
    const { port1, port2 } = new MessageChannel();
    return new Promise((/** @type {(blob: Blob | null) => void} */ resolve) => {
      this.#waiting.add(resolve);
      port1.onmessage = ({ data }) => {
        this.#waiting.delete(resolve);
        resolve(data);
      };
      worker.postMessage({ bitmap, width, height, quality: JPEG_QUALITY, port: port2 }, [bitmap, port2]);
    });
  }
}
