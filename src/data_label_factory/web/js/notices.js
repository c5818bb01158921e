import { byId, setText } from "./dom.js";

/** How things stand: the word beside the title, and the banner for what needs attention. */

/** @typedef {"source" | "server" | "silence"} About */
/** @typedef {"idle" | "waiting" | "live" | "gone"} State */

const WORDS = {
  idle: "No source yet",
  waiting: "Waiting for the first answer",
  live: "Live",
  gone: "No answer",
};
/** @type {readonly About[]} the gravest first */
const ORDER = ["source", "server", "silence"];

/** @type {Map<About, string>} */
const problems = new Map();

/** @param {string} text empty when the problem is over @param {About} about */
export function banner(text, about) {
  problems.set(about, text);
  const place = byId("banner", HTMLParagraphElement);
  const shown = ORDER.find((one) => problems.get(one));
  setText(place, shown ? (problems.get(shown) ?? "") : "");
  place.dataset.kind = shown === "silence" ? "waiting" : "problem";
  place.hidden = !shown;
}

/** @param {State} state @param {string} [text] */
export function status(state, text) {
  byId("status", HTMLParagraphElement).dataset.state = state;
  setText(byId("status-text", HTMLSpanElement), text ?? WORDS[state]);
}

/** Say on the picture itself that it shows nothing. @param {string} text empty: take it away */
export function saySeen(text) {
  const place = byId("nothing", HTMLParagraphElement);
  setText(place, text);
  place.hidden = !text;
}
