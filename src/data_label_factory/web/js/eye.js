/** @import {GrayFrame} from "./follower.js" */

const LONG_SIDE_PX = 192; // enough to follow a thing that a server can name, and small enough to do so for each frame
const SAME_MS = 4; // within this the camera shows the same frame

/** Sees a video's frames, small and gray, at the camera's rate. */
export class Eye {
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  #generation = 0;
  #lastAt = 0;
  #lastTime = -1;

  /**
   * @param {HTMLVideoElement} video
   * @param {(frame: GrayFrame) => void} onFrame  a frame was seen
   * @param {() => void} onShown                  it was a new one, at the camera's rate
   */
  constructor(video, onFrame, onShown) {
    this.video = video;
    this.onFrame = onFrame;
    this.onShown = onShown;
  }

  open() {
    const generation = ++this.#generation;
    const watch = () => {
      if (generation !== this.#generation) return;
      this.#next(watch);
      this.look();
      this.onShown();
    };
    this.#next(watch);
  }

  close() {
    this.#generation++;
  }

  /** See the frame that is shown now. @returns {number} when it was taken, ms: the `at` of a frame that was handed on */
  look() {
    const now = performance.now();
    const { videoWidth, videoHeight } = this.video;
    if (!videoWidth || now - this.#lastAt < SAME_MS || !this.#context) return this.#lastAt;
    const scale = LONG_SIDE_PX / Math.max(videoWidth, videoHeight);
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      [this.#canvas.width, this.#canvas.height] = [width, height];
    }
    this.#context.imageSmoothingQuality = "medium"; // else fine patterns flicker
    this.#context.drawImage(this.video, 0, 0, width, height);
    const gray = toGray(this.#context.getImageData(0, 0, width, height).data);
    this.#lastAt = now;
    this.onFrame({ at: now, width, height, gray });
    return now;
  }

  /** @param {() => void} then once the video shows another frame */
  #next(then) {
    if ("requestVideoFrameCallback" in this.video) {
      this.video.requestVideoFrameCallback(then);
      return;
    }
    requestAnimationFrame(() => {
      const time = /** @type {HTMLVideoElement} */ (this.video).currentTime;
      const isNew = time !== this.#lastTime;
      this.#lastTime = time;
      if (isNew) then();
      else this.#next(then);
    });
  }
}

/** @param {Uint8ClampedArray} rgba @returns {Uint8ClampedArray} luma of ITU-R BT.601 */
function toGray(rgba) {
  const gray = new Uint8ClampedArray(rgba.length / 4);
  for (let i = 0, at = 0; i < gray.length; i++, at += 4) {
    gray[i] = (77 * rgba[at] + 150 * rgba[at + 1] + 29 * rgba[at + 2] + 128) >> 8;
  }
  return gray;
}
