import { Packer } from "./packer.js";

const SEND_SIDE_PX = 1024; // the recognizer uses no more
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 } };

/** @typedef {"none" | "camera" | "video" | "images"} Kind */

/** A source that cannot be used, with a message for the user. */
export class SourceError extends Error {}

/** Where frames come from: a camera, a video file, or pictures shown one by one. */
export class Source {
  /** @type {Kind} */
  kind = "none";
  /** @type {"user" | "environment"} */
  facing = "environment";
  /** @type {File[]} */
  #files = [];
  #page = 0;
  /** @type {MediaStream | null} */
  #stream = null;
  #url = "";
  #taken = ""; // the picture that was captured last
  #packer = new Packer();
  #turn = 0;
  #isTurning = false; // to a picture that is still being decoded

  /**
   * @param {HTMLVideoElement} video @param {HTMLImageElement} still
   * @param {(problem: string) => void} onChange  when the picture or its source changes; `problem` may be empty
   */
  constructor(video, still, onChange) {
    this.video = video;
    this.still = still;
    this.onChange = onChange;
  }

  /** The picture's size in px, null without a picture. */
  get size() {
    const { video, still } = this;
    const isStill = this.kind === "images";
    const [width, height] = isStill ? [still.naturalWidth, still.naturalHeight] : [video.videoWidth, video.videoHeight];
    return this.kind !== "none" && width && height ? { width, height } : null;
  }

  /** The number of the current picture, from 1, and the number of pictures. */
  get pages() {
    return { page: this.#page + 1, count: this.#files.length };
  }

  /** The pictures that are shown one by one. @returns {readonly File[]} */
  get files() {
    return this.#files;
  }

  get deviceId() {
    return this.#stream?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
  }

  /** @param {string} [deviceId] empty: the camera that faces `facing`. Throws SourceError. */
  async useCamera(deviceId = "") {
    this.stop();
    const turn = this.#turn;
    if (!window.isSecureContext || !navigator.mediaDevices) {
      throw new SourceError(
        "Browsers allow the camera only to https:// pages and to localhost. Open this page through one of these, or upload a picture.",
      );
    }
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: this.facing };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...CAMERA, ...which } });
    } catch (error) {
      throw new SourceError(cameraProblem(error));
    }
    if (turn !== this.#turn) return stream.getTracks().forEach((track) => track.stop());
    this.#stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (this.#stream !== stream) return;
      this.stop();
      this.onChange("The camera is gone. Plug it in again, then choose “Use Webcam”.");
    });
    this.kind = "camera";
    this.video.srcObject = stream;
    await this.#play();
  }

  /** @param {File} file Throws SourceError. */
  async useVideo(file) {
    this.stop();
    const turn = this.#turn;
    this.kind = "video";
    this.#url = URL.createObjectURL(file);
    this.video.loop = true;
    this.video.src = this.#url;
    const loaded = await new Promise((resolve) => {
      this.video.onloadeddata = () => resolve(true);
      this.video.onerror = () => resolve(false);
    });
    if (turn !== this.#turn) return;
    if (!loaded) {
      this.stop();
      throw new SourceError(`This browser cannot play ${file.name}. MP4 (H.264) and WebM are safe choices.`);
    }
    await this.#play();
  }

  /** @param {File[]} files Throws SourceError if the first cannot be shown. */
  async useImages(files) {
    this.stop();
    this.#files = files;
    await this.turnTo(1);
  }

  /** Show picture number `page`, from 1. @param {number} page Throws SourceError. */
  async turnTo(page) {
    const turn = ++this.#turn;
    this.#isTurning = true;
    this.kind = "images";
    this.#page = Math.max(0, Math.min(this.#files.length, page) - 1);
    const file = this.#files[this.#page];
    this.#release();
    this.#url = URL.createObjectURL(file);
    this.still.src = this.#url;
    const ok = await this.still.decode().then(
      () => true,
      () => false,
    );
    if (turn !== this.#turn) return;
    this.#isTurning = false;
    this.onChange("");
    if (!ok) throw new SourceError(`This browser cannot show ${file.name}. JPEG, PNG and WebP are safe choices.`);
  }

  /** Release the camera and the files. */
  stop() {
    this.#turn++;
    this.#isTurning = false;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.kind = "none";
    this.#files = [];
    this.video.pause();
    this.video.srcObject = null;
    this.video.onloadeddata = this.video.onerror = null;
    this.video.removeAttribute("src");
    this.video.load();
    this.still.removeAttribute("src");
    this.#release();
  }

  #release() {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
    this.#taken = "";
  }

  async #play() {
    await this.video.play().catch(() => undefined); // it was stopped meanwhile
    this.onChange("");
  }

  /** The newest frame as a JPEG of the size that the server needs; null if there is no new frame. */
  async takeFrame() {
    const size = this.size;
    // What is taken while a picture loads is dropped with its answer: the loop begins anew when it is there.
    if (!size || document.hidden || this.#isTurning) return null;
    const isStill = this.kind === "images";
    const version = isStill ? this.#url : `${this.#turn}/${this.video.currentTime}`;
    if (version === this.#taken) return null;
    this.#taken = version;
    const scale = Math.min(1, SEND_SIDE_PX / Math.max(size.width, size.height));
    const [width, height] = [size.width, size.height].map((side) => Math.max(1, Math.round(side * scale)));
    return this.#packer.pack(isStill ? this.still : this.video, width, height);
  }

  /** Capture the same picture once more. */
  retake() {
    this.#taken = "";
  }
}

/** All cameras. Before the user allows one, browsers hide their names. */
export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === "videoinput" && device.deviceId);
}

/** @param {unknown} error @returns {string} */
function cameraProblem(error) {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") {
    return "The browser was not allowed to use the camera. Allow it with the camera icon in the address bar, then choose “Use Webcam” again.";
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return "There is no such camera. Connect one, or upload a picture or a video.";
  }
  if (name === "NotReadableError" || name === "AbortError") {
    return "The camera sends no picture: another program may be using it. Close that program, then try again.";
  }
  return `The camera cannot be used: ${error instanceof Error ? error.message : error}`;
}
