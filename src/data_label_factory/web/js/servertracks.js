/** @import {Sighting} from "./types.js" */
/** @import {Track} from "./tracker.js" */

/** The tracks of a server that keeps them. @param {Sighting[]} sightings @param {number} taken ms @returns {Track[]} in order of id */
export function toTracks(sightings, taken) {
  return sightings
    .map((sighting) => {
      const justSeen = sighting.lost > 0;
      const sure = justSeen ? false : sighting.confident;
      return { id: sighting.trackId, quad: sighting.quad, reading: sighting, sure, justSeen, seenAt: taken };
    })
    .sort((a, b) => a.id - b.id);
}
