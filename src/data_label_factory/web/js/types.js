/**
 * The shapes that modules hand to each other. Coordinates are shares of the frame, x then y, 0…1; times are ms.
 *
 * @typedef {{x1: number, y1: number, x2: number, y2: number}} Box
 * @typedef {[number, number]} Point
 *
 * @typedef {object} Price      what the server knows; an amount that it does not know is null
 * @property {number | null} usd
 * @property {number | null} amount  in `currency`
 * @property {string} currency       ISO 4217, such as JPY
 * @property {string} date           ISO 8601, or empty
 * @property {string} rarity         the rarity that the amount is of; empty: of all
 *
 * @typedef {object} Item       one of the things that the server knows
 * @property {string} key       tells it from all others
 * @property {string} name
 * @property {string} rarity
 * @property {string} setCode
 * @property {string} refUrl    path of its reference picture on this origin, or empty
 * @property {string} refFilename
 *
 * @typedef {object} Neighbour
 * @property {string} name
 * @property {string} filename
 * @property {number} score
 *
 * @typedef {object} Reading    what one answer says of one thing
 * @property {Item} item
 * @property {number | null} score      null from servers that only find and do not name
 * @property {number | null} margin
 * @property {boolean | null} confident null: the server does not say
 * @property {Neighbour[]} runnersUp
 * @property {string[]} twins       reference files that the picture fits as well
 * @property {Price | null} price
 *
 * @typedef {Reading & {box: Box, quad: Point[]}} Sighting
 */

export {};
