/** Makes sightings for the tests. */

/**
 * @param {string} name @param {number} x left edge @param {{confident?: boolean | null, y?: number, size?: number}} [more]
 * @returns {import("../../src/data_label_factory/web/js/types.js").Sighting}
 */
export function sighting(name, x, { confident = true, y = 0.2, size = 0.2 } = {}) {
  const box = { x1: x, y1: y, x2: x + size, y2: y + size };
  const item = {
    key: `${name}.jpg`,
    name,
    rarity: "",
    setCode: "",
    refUrl: `/refs/${name}.jpg`,
    refFilename: `${name}.jpg`,
  };
  const quad = /** @type {[number, number][]} */ ([
    [box.x1, box.y1],
    [box.x2, box.y1],
    [box.x2, box.y2],
    [box.x1, box.y2],
  ]);
  return {
    item,
    score: 0.8,
    margin: 0.3,
    confident,
    runnersUp: [],
    twins: [],
    price: null,
    box,
    quad,
    trackId: 0,
    lost: 0,
  };
}
