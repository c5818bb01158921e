import { Announcer } from "./announce.js";
import { info } from "./api.js";
import { DeckPanel } from "./deckpanel.js";
import { byId } from "./dom.js";
import { Eye } from "./eye.js";
import { Follower } from "./follower.js";
import { GuessPanel, spell } from "./guesspanel.js";
import { Help } from "./help.js";
import { ItemsDialog } from "./itemsdialog.js";
import { Loop } from "./loop.js";
import { banner, saySeen, status } from "./notices.js";
import { Overlay } from "./overlay.js";
import { makeScan } from "./scanparts.js";
import { showServerFacts } from "./serverfacts.js";
import { Settings } from "./settings.js";
import { toTracks } from "./servertracks.js";
import { Source } from "./source.js";
import { SourceBar } from "./sourcebar.js";
import { Stillness } from "./stillness.js";
import { StatsPanel } from "./statspanel.js";
import { Teacher } from "./teach.js";
import { tapOutlines } from "./taps.js";
import { toast } from "./toast.js";
import { nameTopPrices, showTopPrices } from "./toppanel.js";
import { TrackPanel } from "./trackpanel.js";
import { Tracker } from "./tracker.js";
import { Wire } from "./wire.js";

/** @import {ApiError} from "./apierror.js" */
/** @import {Answer} from "./loop.js" */
/** @import {Track} from "./tracker.js" */
/** @import {Guess} from "./types.js" */

/** Connects the parts: source → loop → wire → tracker → overlay and panels; eye → follower → overlay. */

const INFO_EVERY_MS = 15_000;
const FADE_EVERY_MS = 100;
const LISTED_HERE = "Items that the camera recognizes are listed here, with reference picture and price.";
const NOTHING = "Nothing of yours here.";
const NOTHING_SURE = "Nothing sure here.";

const tracker = new Tracker();
const follower = new Follower();
const stillness = new Stillness();
const wire = new Wire();
const stats = new StatsPanel();
const announcer = new Announcer();
/** @type {Track[]} */
let tracks = [];
/** @type {Guess | null} */
let guess = null;
let isAnswered = false; // the still picture
/** @type {Blob | null} */
let lastFrame = null;
let ever = 0;
let gone = false;
let saysNothing = false; // another kind of server: do not ask it again

const source = new Source(byId("video", HTMLVideoElement), byId("still", HTMLImageElement), sourceChanged);
const overlay = new Overlay(
  byId("overlay", HTMLCanvasElement),
  () => source.size,
  (track) => follower.locate(track),
);
const eye = new Eye(
  source.video,
  (frame) => {
    stillness.add(frame);
    follower.add(frame, stillness.isStill(frame.at));
  },
  () => loop.see(),
);
const bar = new SourceBar(source, (problem) => banner(problem, "source"));
const trackPanel = new TrackPanel({
  onAdd: (item, price) => keep.add(item, price),
  onWrong: (track, likely) => inSight(track, (seen) => teacher.correct(seen, likely)),
  onPick(track, item) {
    if (trackPanel.canCorrect) inSight(track, (seen) => teacher.learn(seen, item));
    else keep.add(item, null);
  },
  onPictures: (item) => itemsDialog.open(item),
  copies: (key) => keep.count(key),
});
const guessPanel = new GuessPanel({
  onAdd: (item) => keep.add(item, null),
  onTeach: ({ quad, items }) => lastFrame && teacher.correct({ frame: lastFrame, quad }, items),
});
const deck = new DeckPanel(() => trackPanel.refresh());
const { scan, keep, album } = makeScan({
  deck,
  source,
  query: () => settings.values.query,
  tell: (text) => announcer.tell(text),
  onList: () => applySettings(settings.values),
});
const teacher = new Teacher(collectionChanged);
const itemsDialog = new ItemsDialog(collectionChanged);
new Help();
const settings = new Settings(applySettings);
const loop = new Loop({
  async takeFrame() {
    const taken = isMoving() ? eye.look() : performance.now();
    const picture = await source.takeFrame();
    return picture && { picture, taken };
  },
  send: (picture, signal) => wire.send(picture, settings.values.query, signal, !isMoving()),
  capacity: () => wire.capacity,
  isStill: (now) => isMoving() && stillness.isStill(now),
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
  trackPanel.word = guessPanel.word = keep.word || values.word;
  nameTopPrices(values.word);
  byId("stage", HTMLDivElement).toggleAttribute("data-mirror", mirrored);
  byId("mirror", HTMLButtonElement).setAttribute("aria-pressed", String(values.mirror));
  showTracks();
}

/** @param {Track} track @param {(seen: import("./teach.js").Seen) => void} teach */
function inSight(track, teach) {
  if (track.justSeen || !lastFrame) toast("It is out of sight. Show it again first.");
  else teach({ frame: lastFrame, quad: track.quad });
}

/** The server has learned or forgotten something: what is shown may have another name now. */
function collectionChanged() {
  source.retake();
  loop.tick();
  refreshInfo();
}

/** Whether the source is a camera or a video, of which each frame is another. */
function isMoving() {
  return source.kind === "camera" || source.kind === "video";
}

/** @param {string} problem */
function sourceChanged(problem) {
  banner(problem, "source");
  bar.refresh();
  album.offer(source.files);
  document.body.toggleAttribute("data-still", source.kind === "images");
  applySettings(settings.values);
  for (const part of [tracker, wire, scan]) part.reset();
  for (const part of [follower, stillness, overlay]) part.clear();
  tracks = [];
  [guess, isAnswered] = [null, false];
  banner("", "silence");
  saySeen("");
  showTracks();
  if (isMoving()) eye.open();
  else eye.close();
  if (source.kind === "none") loop.stop();
  else loop.start();
  status(source.kind === "none" ? "idle" : "waiting");
}

/** @param {Answer} answer */
function answered({ said, frame: { picture, taken }, latency, own }) {
  const begun = performance.now();
  lastFrame = picture;
  const still = !isMoving();
  if (said.isTracked) {
    tracks = toTracks(said.sightings, taken);
    tracker.reset();
  } else tracks = tracker.update(said.sightings, begun, { taken, still });
  ever = said.isTracked ? Math.max(ever, ...tracks.map(({ id }) => id)) : tracker.ever;
  follower.show(tracks);
  overlay.show(visible(), still);
  guess = still ? said.guess : null;
  isAnswered = still;
  showTracks();
  if (guess) announcer.tell(`Nothing sure: ${spell(guess)}`);
  else if (still && !tracks.length) announcer.tell(NOTHING);
  if (scan.isOn && !still)
    scan.see(tracks, taken, picture, { isTracked: said.isTracked, isStill: stillness.isStill(taken) });
  else announcer.hear(tracks);
  if (gone) recovered();
  banner("", "silence");
  const shown = tracks.length ? "Named" : guess ? NOTHING_SURE : NOTHING;
  status("live", still ? shown : undefined);
  saySeen(still && !tracks.length && !guess ? NOTHING : "");
  stats.count(latency, own + performance.now() - begun, ever);
}

/** @param {ApiError} error */
function failed(error) {
  source.retake();
  stats.error(error.message);
  banner("", "silence");
  const busy = error.status === 429 || error.status === 503;
  if (busy && !gone) return status("waiting", error.message);
  gone = true;
  status("gone");
  // Nobody knows what lies there now.
  tracks = tracks.map((track) => ({ ...track, sure: false, justSeen: true }));
  overlay.update(visible());
  showTracks();
  const why = error.status >= 502 ? ` (${error.message})` : "";
  banner(why || error.status === 0 ? `The server does not answer. Trying again …${why}` : error.message, "server");
}

function recovered() {
  gone = false;
  banner("", "server");
  refreshInfo();
}

/** What is out of sight fades though no answer comes, and a server that says nothing is not waited for in silence. */
function fade() {
  if (loop.isSilent && !gone) {
    banner("The server has not answered for some seconds. Still waiting …", "silence");
    status("waiting", "Waiting for the server");
  }
  if (gone || !tracker.isFading) return;
  tracks = tracker.at(performance.now());
  follower.show(tracks);
  overlay.update(visible());
  showTracks();
}

function visible() {
  return settings.values.sureOnly ? tracks.filter((track) => track.sure !== false) : tracks;
}

function showTracks() {
  const shown = settings.values.sureOnly ? null : guess;
  const nothing = tracks.length || guess ? NOTHING_SURE : NOTHING;
  trackPanel.hint = shown ? "" : isAnswered ? nothing : LISTED_HERE;
  trackPanel.show(visible());
  guessPanel.show(shown);
}

/** Ask the server for its state; other kinds of servers do not tell. */
async function refreshInfo() {
  const facts = await info().catch((error) => {
    saysNothing = error.status === 404;
  });
  const canEnroll = facts?.can_enroll === true;
  byId("teach", HTMLButtonElement).hidden = byId("items-open", HTMLButtonElement).hidden = !canEnroll;
  if (facts?.version) await keep.begin();
  trackPanel.canCorrect = guessPanel.canTeach = canEnroll;
  showTracks();
  stats.upstream(
    facts?.version ? `${location.host} · ${facts.encoder} · ${facts.index_size} references` : location.host,
  );
  showServerFacts(facts);
  await showTopPrices();
}

byId("mirror", HTMLButtonElement).onclick = () => settings.set({ mirror: !settings.values.mirror });
byId("teach", HTMLButtonElement).onclick = () => lastFrame && teacher.addItem(lastFrame, { tracks, guess });
tapOutlines(byId("stage", HTMLDivElement), overlay, (track) => trackPanel.reveal(track.id));
applySettings(settings.values);
refreshInfo();
document.addEventListener("visibilitychange", () => loop.tick());
setInterval(fade, FADE_EVERY_MS);
setInterval(() => document.hidden || saysNothing || refreshInfo(), INFO_EVERY_MS);
