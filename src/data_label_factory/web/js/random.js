/** A name that no other page has. `crypto.randomUUID` is only there on https:// pages. */
export function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
