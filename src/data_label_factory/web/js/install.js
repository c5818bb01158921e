import { place } from "./api.js";
import { toast } from "./toast.js";

const LOOK_EVERY_MS = 60_000;
let loaded = ""; // the version of this page

/** Keep the page's files in the browser, so that it opens without a server, and say when the server has newer ones. */
export async function keepShell() {
  forgetKey();
  await look();
  loaded ||= keptVersion(); // opened without its server: it may be old when that is back
  setInterval(() => document.hidden || look(), LOOK_EVERY_MS);
}

async function look() {
  const version = await readVersion();
  if (!version || version === loaded) return;
  const isNew = loaded !== "";
  loaded = version;
  // Refused without a trusted certificate: then the page needs its server, as any other does.
  await navigator.serviceWorker?.register(place(`canvas/sw.js?v=${version}`)).catch(() => undefined);
  if (isNew) toast("This page has a new version.", "Load it", () => location.reload());
}

/** The version of the files that the browser keeps. @returns {string} "" if it keeps none */
function keptVersion() {
  const worker = navigator.serviceWorker?.controller;
  return (worker && new URL(worker.scriptURL).searchParams.get("v")) ?? "";
}

/** @returns {Promise<string>} "" if the server does not tell */
async function readVersion() {
  try {
    const response = await fetch(place("canvas/shell.json"), { cache: "no-cache" });
    return response.ok ? String((await response.json()).version) : "";
  } catch {
    return "";
  }
}

/** The server takes the key out of the address; a page that was kept has to do so itself. */
function forgetKey() {
  const url = new URL(location.href);
  if (!url.searchParams.has("key")) return;
  url.searchParams.delete("key");
  history.replaceState(history.state, "", url);
}
