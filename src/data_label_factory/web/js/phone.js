import { CameraControls } from "./cameracontrols.js";
import { byId } from "./dom.js";
import { keepShell } from "./install.js";
import { PhonePanel } from "./phonepanel.js";
import { WakeLock } from "./wakelock.js";

/** What a phone adds to the page: its camera's light and zoom, a screen that stays on, and a page that opens by itself. */

const video = byId("video", HTMLVideoElement);
const controls = new CameraControls(byId("controls", HTMLDivElement), byId("flip", HTMLButtonElement));
const wakeLock = new WakeLock();
new PhonePanel();

/** The camera that plays; null without one. */
function camera() {
  const stream = video.srcObject;
  return stream instanceof MediaStream ? (stream.getVideoTracks()[0] ?? null) : null;
}

function refresh() {
  const track = camera();
  controls.show(track);
  wakeLock.hold(track !== null);
}

video.addEventListener("playing", refresh);
video.addEventListener("emptied", refresh);
document.addEventListener("visibilitychange", () => wakeLock.hold(camera() !== null));
addEventListener("load", () => keepShell());
