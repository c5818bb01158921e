/**
 * The types that modules share. Coordinates are fractions of the frame, x then y, 0…1; times are ms.
 *
 * @typedef {{x1: number, y1: number, x2: number, y2: number}} Box
 * @typedef {[number, number]} Point
 *
 * @typedef {object} Price      an amount that the server does not know is null
 * @property {number | null} usd
 * @property {number | null} amount  in `currency`
 * @property {string} currency       ISO 4217, such as JPY
 * @property {string} date           ISO 8601, or empty
 * @property {string} rarity         the rarity that the amount is for; empty: for all
 *
 * @typedef {object} Item       an item of the server's collection
 * @property {string} key       unique
 * @property {string} name
 * @property {string} rarity
 * @property {string} setCode
 * @property {string} refUrl    path of its reference picture on this origin, or empty
 * @property {string} refFilename
 *
 * @typedef {object} Neighbor
 * @property {string} name
 * @property {string} filename
 * @property {number} score
 *
 * @typedef {object} Reading    what one answer says about one item
 * @property {Item} item
 * @property {number | null} score      null from servers that only detect
 * @property {number | null} margin
 * @property {boolean | null} confident null if the server does not say
 * @property {Neighbor[]} runnersUp
 * @property {string[]} twins       references that the picture matches as well
 * @property {string} [view]        the further picture of the item that it matches best, if not the first
 * @property {Price | null} price
 *
 * @typedef {object} Place
 * @property {Box} box
 * @property {Point[]} quad
 * @property {number} trackId  of a server that keeps tracks, else 0
 * @property {number} lost     ms since such a server has seen it
 * @property {number | null} [row]     from 1, of a server that reads pages
 * @property {number | null} [column]
 *
 * @typedef {Reading & Place} Sighting
 *
 * @typedef {object} Guess      where nothing in a picture is sure
 * @property {Item[]} items     what its main thing is nearest to, the nearest first
 * @property {Point[]} quad     what was compared with them
 */

export {};
