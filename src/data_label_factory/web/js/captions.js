/** @import {Box} from "./types.js" */

/** Where the outlines' captions stand, so that none covers another thing. Canvas px. */

/** @typedef {{x: number, y: number, width: number}} Place */

/**
 * As much of a text as fits, with … for the rest.
 * @param {string} text @param {number} width @param {(text: string) => number} measure
 */
export function shorten(text, width, measure) {
  if (measure(text) <= width) return text;
  const letters = [...text];
  let [fits, tooMany] = [0, letters.length];
  while (tooMany - fits > 1) {
    const half = (fits + tooMany) >> 1;
    if (measure(`${letters.slice(0, half).join("").trimEnd()}…`) <= width) fits = half;
    else tooMany = half;
  }
  return `${letters.slice(0, fits).join("").trimEnd()}…`;
}

/**
 * Above its outline; inside, at its top, where it would cover another one; below another caption that is in the way.
 * @param {Box} own the outline's box @param {readonly Box[]} others those of the other outlines
 * @param {{width: number, height: number, gap: number}} caption @param {{width: number, height: number}} canvas
 * @param {readonly Place[]} taken the captions that are drawn already
 * @returns {Place}
 */
export function placeCaption(own, others, { width, height, gap }, canvas, taken) {
  const x = Math.max(0, Math.min(canvas.width - width, own.x1));
  const above = own.y1 - height - gap;
  const isFree = above >= 0 && !others.some((box) => isOver(box, x, above, width, height));
  let y = Math.max(0, Math.min(canvas.height - height, isFree ? above : own.y1 + gap));
  for (const other of [...taken].sort((a, b) => a.y - b.y)) {
    if (x < other.x + other.width && other.x < x + width && Math.abs(y - other.y) < height) y = other.y + height + 1;
  }
  return { x, y, width };
}

/** @param {Box} box @param {number} x @param {number} y @param {number} width @param {number} height */
function isOver(box, x, y, width, height) {
  return x < box.x2 && box.x1 < x + width && y < box.y2 && box.y1 < y + height;
}
