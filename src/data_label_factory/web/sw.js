/**
 * Keeps the files of the page, so that it opens without a server; and nothing else: no answers, no pictures. What the server
 * has is always taken first. `?v=` is the version of the files: another one is another worker, which fetches all of them.
 */

const CACHE = `shell-${new URL(location.href).searchParams.get("v")}`;
const FOLDER = new URL("./", location.href);
const PATIENCE_MS = 3000; // before the kept page is shown instead of a server that hangs

self.addEventListener("install", (event) => event.waitUntil(keepAll().then(() => self.skipWaiting())));

self.addEventListener("activate", (event) => event.waitUntil(forgetOthers().then(() => self.clients.claim())));

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(FOLDER.href)) event.respondWith(fetchOrKept(event.request));
});

async function keepAll() {
  const { files } = await (await fetch("shell.json", { cache: "no-cache" })).json();
  const cache = await caches.open(CACHE);
  await cache.addAll(files.map((file) => new Request(file, { cache: "no-cache" })));
}

async function forgetOthers() {
  for (const name of await caches.keys()) {
    if (name.startsWith("shell-") && name !== CACHE) await caches.delete(name);
  }
}

async function fetchOrKept(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (!kept) return fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([fetch(request).catch(() => kept), late]);
}
