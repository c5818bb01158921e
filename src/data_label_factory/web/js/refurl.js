/** The path of a reference picture on the server. @param {string} filename */
export function refUrlOf(filename) {
  return `/refs/${filename.split("/").map(encodeURIComponent).join("/")}`;
}
