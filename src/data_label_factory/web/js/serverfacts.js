import { byId, h } from "./dom.js";

/** Shows what the server does, in plain words. @param {any} facts its /api/info, null from other kinds of servers */
export function showServerFacts(facts) {
  const rows = facts?.version
    ? {
        "Wrong names it may give": perThings(facts.strictness),
        "Likeness it asks for": facts.sim_threshold ?? "chosen by itself",
        "Lead over the next best": facts.margin_threshold ?? "chosen by itself",
        "Reference pictures": facts.index_size,
        "Version of the server": facts.version,
      }
    : { Server: "does not tell its settings" };
  const list = Object.entries(rows).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value))));
  byId("server-facts", HTMLDListElement).replaceChildren(...list);
}

/** A false-accept rate, such as 0.01. @param {unknown} rate @returns {string} such as “1 of 100 unknown things” */
export function perThings(rate) {
  if (typeof rate !== "number" || !(rate > 0)) return "none";
  return rate >= 1 ? "every unknown thing" : `1 of ${Math.round(1 / rate).toLocaleString("en-US")} unknown things`;
}
