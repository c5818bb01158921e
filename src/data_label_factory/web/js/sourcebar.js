import { byId, h, setText } from "./dom.js";
import { isFree } from "./shortcuts.js";
import { SourceError, cameras } from "./source.js";

/** @import {Source} from "./source.js" */

/** Chooses the source: buttons, files, drag and drop, paste, and the controls of the camera. */
export class SourceBar {
  #stage = byId("stage", HTMLDivElement);

  /** @param {Source} source @param {(problem: string) => void} onProblem empty when the problem is over */
  constructor(source, onProblem) {
    this.source = source;
    this.onProblem = onProblem;
    const files = { video: byId("video-file", HTMLInputElement), images: byId("image-files", HTMLInputElement) };
    for (const button of document.querySelectorAll("[data-source]")) {
      const kind = button.getAttribute("data-source");
      button.addEventListener("click", () => {
        if (kind === "video" || kind === "images") files[kind].click();
        else this.#try(() => source.useCamera());
      });
    }
    for (const input of Object.values(files)) {
      input.onchange = () => {
        this.#open([...(input.files ?? [])]);
        input.value = "";
      };
    }
    this.#acceptDrops();
    this.#wireControls();
  }

  /** Show the controls that fit the source. */
  refresh() {
    const { kind, size, video } = this.source;
    const isStill = kind === "images";
    this.#stage.toggleAttribute("data-empty", kind === "none");
    video.hidden = isStill || kind === "none";
    this.source.still.hidden = !isStill;
    if (size) this.#stage.style.setProperty("--aspect", `${size.width} / ${size.height}`);
    byId("controls", HTMLDivElement).hidden = kind === "none";
    byId("device-label", HTMLLabelElement).hidden = kind !== "camera";
    byId("flip", HTMLButtonElement).hidden = kind !== "camera";
    byId("mirror", HTMLButtonElement).hidden = kind !== "camera";
    byId("play", HTMLButtonElement).hidden = kind !== "video";
    const { page, count } = this.source.pages;
    byId("pager", HTMLSpanElement).hidden = !isStill || count < 2;
    setText(byId("page-number", HTMLSpanElement), `${page} of ${count}`);
    if (kind === "camera") this.#listCameras();
  }

  /** @param {() => Promise<unknown>} use */
  async #try(use) {
    this.onProblem("");
    try {
      await use();
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      if (this.source.kind === "none") this.source.onChange(error.message);
      else this.onProblem(error.message);
    }
    this.refresh();
  }

  /** @param {File[]} files a video, or any number of pictures */
  #open(files) {
    const video = files.find((file) => file.type.startsWith("video/"));
    const images = files.filter((file) => file.type.startsWith("image/"));
    if (video) this.#try(() => this.source.useVideo(video));
    else if (images.length) this.#try(() => this.source.useImages(images));
    else if (files.length) this.onProblem("That is neither a picture nor a video.");
  }

  #acceptDrops() {
    addEventListener("dragover", (event) => {
      event.preventDefault();
      this.#stage.toggleAttribute("data-drop", true);
    });
    addEventListener("dragleave", () => this.#stage.removeAttribute("data-drop"));
    addEventListener("drop", (event) => {
      event.preventDefault();
      this.#stage.removeAttribute("data-drop");
      this.#open([...(event.dataTransfer?.files ?? [])]);
    });
    addEventListener("paste", (event) => this.#open([...(event.clipboardData?.files ?? [])]));
  }

  #wireControls() {
    const { source } = this;
    const device = byId("device", HTMLSelectElement);
    device.onchange = () => this.#try(() => source.useCamera(device.value));
    byId("flip", HTMLButtonElement).onclick = () => {
      source.facing = source.facing === "user" ? "environment" : "user";
      this.#try(() => source.useCamera());
    };
    const play = byId("play", HTMLButtonElement);
    play.onclick = () => (source.video.paused ? source.video.play() : source.video.pause());
    source.video.onresize = () => this.refresh(); // a phone was turned
    source.video.onplay = () => setText(play, "Pause");
    source.video.onpause = () => setText(play, "Play");
    byId("previous", HTMLButtonElement).onclick = () => this.#try(() => source.turnTo(source.pages.page - 1));
    byId("next", HTMLButtonElement).onclick = () => this.#try(() => source.turnTo(source.pages.page + 1));
    addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
      const to = source.pages.page + by;
      if (!by || source.kind !== "images" || to < 1 || to > source.pages.count || !isFree(event)) return;
      event.preventDefault();
      this.#try(() => source.turnTo(to));
    });
    byId("stop", HTMLButtonElement).onclick = () => {
      source.stop();
      source.onChange("");
    };
    navigator.mediaDevices?.addEventListener("devicechange", () => this.refresh());
  }

  async #listCameras() {
    const found = await cameras();
    const options = found.map(({ deviceId, label }, i) => h("option", { value: deviceId }, label || `Camera ${i + 1}`));
    const device = byId("device", HTMLSelectElement);
    device.replaceChildren(...options);
    device.value = this.source.deviceId;
  }
}
