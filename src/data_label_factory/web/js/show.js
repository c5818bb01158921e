import { byId, setText } from "./dom.js";
import { formatMoney, formatUsd, toCents } from "./money.js";

/** The overlay: shows what was seen or taken last for a while. Its address says how; the server has checked that. */

const ROOT = new URL("../../", import.meta.url);
const LEAVING_MS = 600;
const PICTURE_PX = 960;

const wanted = new URLSearchParams(location.search);
const shownMs = 1000 * Number(wanted.get("seconds") ?? 8);
const card = byId("card", HTMLElement);
let timer = 0;

function style() {
  const root = document.documentElement.style;
  document.body.dataset.corner = wanted.get("corner") ?? "bottom-left";
  if (wanted.has("size")) root.setProperty("--size", `${Number(wanted.get("size"))}px`);
  for (const name of ["color", "back", "accent"]) {
    if (wanted.has(name)) root.setProperty(`--${name}`, `#${wanted.get(name)}`);
  }
}

/** @param {any} data what the server tells of a thing @param {boolean} isTaken */
function show(data, isTaken) {
  const name = String(data.name ?? "");
  const isSame = !card.hidden && byId("name", HTMLElement).textContent === name;
  setText(byId("name", HTMLElement), name);
  setText(byId("facts", HTMLElement), [data.set_code, data.rarity].filter(Boolean).join(" · "));
  setText(byId("price", HTMLElement), wanted.get("price") === "0" ? "" : spellPrice(data.price));
  byId("taken", HTMLElement).hidden = !isTaken;
  showPicture(data.ref_url);

  card.hidden = false;
  card.classList.remove("leaving");
  if (!isSame) for (const animation of card.getAnimations()) animation.play(); // comes in again
  clearTimeout(timer);
  timer = window.setTimeout(leave, shownMs);
}

function leave() {
  card.classList.add("leaving");
  timer = window.setTimeout(() => (card.hidden = true), LEAVING_MS);
}

/** @param {unknown} url */
function showPicture(url) {
  const picture = byId("picture", HTMLImageElement);
  const isOurs = typeof url === "string" && url.startsWith("/refs/");
  picture.hidden = !isOurs;
  if (isOurs) picture.src = new URL(`${url.slice(1)}?w=${PICTURE_PX}`, ROOT).href;
  picture.onerror = () => (picture.hidden = true);
}

/** @param {any} price @returns {string} */
function spellPrice(price) {
  const cents = toCents(price?.usd_median);
  if (cents !== null) return formatUsd(cents);
  return typeof price?.median === "number" ? formatMoney(price.median, String(price.currency ?? "")) : "";
}

function listen() {
  const kinds = wanted.get("kinds") ?? "seen,taken";
  const events = new EventSource(new URL(`api/events?kinds=${kinds}`, ROOT));
  for (const kind of kinds.split(",")) {
    events.addEventListener(kind, (event) => {
      const { data } = JSON.parse(event.data);
      const session = wanted.get("session");
      if (!session || data.session === session) show(data, kind === "taken");
    });
  }
  // A browser gives up for good where the server refuses, as one does that is being started.
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

style();
listen();
