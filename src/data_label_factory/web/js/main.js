import { Announcer } from "./announce.js";
import { info } from "./api.js";
import { DeckPanel } from "./deckpanel.js";
import { byId, h, setText } from "./dom.js";
import { Loop } from "./loop.js";
import { Overlay } from "./overlay.js";
import { Settings } from "./settings.js";
import { Source } from "./source.js";
import { SourceBar } from "./sourcebar.js";
import { StatsPanel } from "./statspanel.js";
import { Teacher } from "./teach.js";
import { toast } from "./toast.js";
import { showTopPrices } from "./toppanel.js";
import { TrackPanel } from "./trackpanel.js";
import { Tracker } from "./tracker.js";

/** @import {ApiError} from "./api.js" */
/** @import {Answer} from "./loop.js" */
/** @import {Track} from "./tracker.js" */

/** Connects the parts: source → loop → tracker → overlay and panels. */

const INFO_EVERY_MS = 15_000;
const FADE_EVERY_MS = 100;

const tracker = new Tracker();
const stats = new StatsPanel();
const announcer = new Announcer();
/** @type {Track[]} */
let tracks = [];
/** @type {Blob | null} */
let lastFrame = null;
let gone = false;
let saysNothing = false; // another kind of server: do not ask it again

const source = new Source(byId("video", HTMLVideoElement), byId("still", HTMLImageElement), sourceChanged);
const overlay = new Overlay(byId("overlay", HTMLCanvasElement), () => source.size);
const bar = new SourceBar(source, (problem) => banner(problem, "source"));
const trackPanel = new TrackPanel({
  onAdd: (item, price) => deck.add(item, price),
  onWrong(track) {
    if (track.justSeen || !lastFrame) toast("It is out of sight. Show it again first.");
    else teacher.correct(lastFrame, track.quad);
  },
  copies: (key) => deck.count(key),
});
const deck = new DeckPanel(() => trackPanel.refresh());
const teacher = new Teacher(() => {
  source.retake();
  refreshInfo();
});
const settings = new Settings(applySettings);
const loop = new Loop({
  takeFrame: () => source.takeFrame(),
  query: () => settings.values.query,
  onAnswer: answered,
  onError: failed,
});

/** @param {import("./settings.js").Values} values */
function applySettings(values) {
  const mirrored = values.mirror && source.kind === "camera";
  overlay.visible = values.overlay;
  overlay.mirrored = mirrored;
  announcer.sound = values.sound;
  deck.rename(values.word);
  trackPanel.word = values.word;
  byId("stage", HTMLDivElement).toggleAttribute("data-mirror", mirrored);
  byId("mirror", HTMLButtonElement).setAttribute("aria-pressed", String(values.mirror));
  showTracks();
}

/** @param {string} problem */
function sourceChanged(problem) {
  banner(problem, "source");
  bar.refresh();
  applySettings(settings.values);
  tracker.reset();
  tracks = [];
  overlay.clear();
  showTracks();
  if (source.kind === "none") loop.stop();
  else loop.start();
  status(source.kind === "none" ? "idle" : "waiting");
}

/** @param {Answer} answer */
function answered({ sightings, frame, taken, latency, own }) {
  const begun = performance.now();
  lastFrame = frame;
  const still = source.kind === "images";
  tracks = tracker.update(sightings, performance.now(), { taken, still });
  overlay.show(visible(), still);
  showTracks();
  announcer.hear(tracks);
  if (gone) recovered();
  status("live");
  stats.count(latency, own + performance.now() - begun, tracker.ever);
}

/** @param {ApiError} error */
function failed(error) {
  source.retake();
  stats.error(error.message);
  const busy = error.status === 429 || error.status === 503;
  if (busy && !gone) return status("waiting", error.message);
  gone = true;
  status("gone");
  const silent = error.status === 0 || error.status >= 502;
  banner(silent ? `The server does not answer. Trying again … (${error.message})` : error.message, "server");
}

function recovered() {
  gone = false;
  banner("", "server");
  refreshInfo();
}

/** What is out of sight fades though no answer comes. */
function fade() {
  if (!tracker.isFading) return;
  tracks = tracker.at(performance.now());
  overlay.update(visible());
  showTracks();
}

function visible() {
  return settings.values.sureOnly ? tracks.filter((track) => track.sure !== false) : tracks;
}

function showTracks() {
  trackPanel.show(visible());
}

/** @type {Map<string, string>} */
const problems = new Map();

/** @param {string} text empty when the problem is over @param {"source" | "server"} about */
function banner(text, about) {
  problems.set(about, text);
  const place = byId("banner", HTMLParagraphElement);
  const shown = problems.get("source") || problems.get("server") || "";
  setText(place, shown);
  place.hidden = !shown;
}

/** @param {"idle" | "waiting" | "live" | "gone"} state @param {string} [text] */
function status(state, text) {
  const words = {
    idle: "No source yet",
    waiting: "Waiting for the first answer",
    live: "Live",
    gone: "Server gone, trying again",
  };
  byId("status", HTMLParagraphElement).dataset.state = state;
  setText(byId("status-text", HTMLSpanElement), text ?? words[state]);
}

/** Ask the server for its state; other kinds of servers do not tell. */
async function refreshInfo() {
  const facts = await info().catch((error) => {
    saysNothing = error.status === 404;
  });
  const canEnroll = facts?.can_enroll === true;
  byId("teach", HTMLButtonElement).hidden = !canEnroll;
  trackPanel.canCorrect = canEnroll;
  showTracks();
  stats.upstream(
    facts?.version ? `${location.host} · ${facts.encoder} · ${facts.index_size} references` : location.host,
  );
  const rows = facts?.version
    ? {
        Strictness: facts.strictness,
        Threshold: facts.sim_threshold ?? "automatic",
        Margin: facts.margin_threshold ?? "automatic",
        References: facts.index_size,
        Version: facts.version,
      }
    : { Server: "does not tell its settings" };
  const list = Object.entries(rows).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value))));
  byId("server-facts", HTMLDListElement).replaceChildren(...list);
  await showTopPrices();
}

byId("mirror", HTMLButtonElement).onclick = () => settings.set({ mirror: !settings.values.mirror });
byId("teach", HTMLButtonElement).onclick = () => lastFrame && teacher.addItem(lastFrame);
applySettings(settings.values);
refreshInfo();
setInterval(fade, FADE_EVERY_MS);
setInterval(() => document.hidden || saysNothing || refreshInfo(), INFO_EVERY_MS);
