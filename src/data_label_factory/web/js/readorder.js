/** @import {Box} from "./types.js" */

const SAME_ROW = 0.5; // of a usual height, between two middles

/** @typedef {{box: Box, row?: number | null, column?: number | null}} Placed */

/**
 * Things in reading order, with their places from 1: as the server says, else row by row from the top, each from the left.
 * @template {Placed} T
 * @param {readonly T[]} things @returns {{thing: T, row: number, column: number}[]}
 */
export function readingOrder(things) {
  if (things.length && things.every(({ row, column }) => row && column)) {
    const told = things.map((thing) => ({ thing, row: thing.row ?? 0, column: thing.column ?? 0 }));
    return told.sort((a, b) => a.row - b.row || a.column - b.column);
  }
  const heights = things.map(({ box }) => box.y2 - box.y1).sort((a, b) => a - b);
  const usual = heights[heights.length >> 1] ?? 0;
  /** @type {T[][]} */
  const rows = [];
  for (const thing of [...things].sort((a, b) => middle(a) - middle(b))) {
    const row = rows[rows.length - 1];
    if (row && middle(thing) - mean(row) <= SAME_ROW * usual) row.push(thing);
    else rows.push([thing]);
  }
  return rows.flatMap((row, i) => {
    const sorted = row.sort((a, b) => a.box.x1 + a.box.x2 - b.box.x1 - b.box.x2);
    return sorted.map((thing, j) => ({ thing, row: i + 1, column: j + 1 }));
  });
}

/** @param {Placed} thing */
function middle({ box }) {
  return (box.y1 + box.y2) / 2;
}

/** The height of a row, which may run aslant. @param {Placed[]} row */
function mean(row) {
  return row.reduce((sum, thing) => sum + middle(thing), 0) / row.length;
}
