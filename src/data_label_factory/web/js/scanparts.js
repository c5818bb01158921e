import { Album } from "./album.js";
import { recognize } from "./api.js";
import { Keep } from "./lists.js";
import { ReviewTray } from "./reviewtray.js";
import { Scan } from "./scan.js";
import { SCAN_KEYS } from "./scankeys.js";
import { addShortcuts } from "./shortcuts.js";

/** @import {DeckPanel} from "./deckpanel.js" */
/** @import {Source} from "./source.js" */

const LOOK_MS = 5000; // what takes longer says nothing about what lies there now

/**
 * Connects the parts of a scan: rules → rows → where they are kept, and what is unsure → review.
 * @param {object} page
 * @param {DeckPanel} page.deck
 * @param {Source} page.source
 * @param {() => string} page.query
 * @param {(text: string) => void} page.tell  to who cannot see it
 * @param {() => void} page.onList            another list was chosen
 */
export function makeScan({ deck, source, query, tell, onList }) {
  addShortcuts("Scanning", SCAN_KEYS);
  const keep = new Keep(deck, onList);
  /** @param {Blob} picture @param {AbortSignal} signal */
  const look = async (picture, signal) => (await recognize(picture, query(), "", signal)).sightings;
  const scan = new Scan({
    keeper: keep,
    tray: new ReviewTray(),
    tell,
    look: (frame) => look(frame, AbortSignal.timeout(LOOK_MS)),
    onStart() {
      if (source.kind === "none") /** @type {HTMLElement} */ (document.querySelector("[data-source=camera]")).click();
    },
  });
  return { scan, keep, album: new Album(scan, look) };
}
