/** A worker that encodes frames as JPEG: off the page's thread, where an encoder waits until the page is idle. */

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });

/** @param {MessageEvent<{bitmap: ImageBitmap, width: number, height: number, quality: number, port: MessagePort}>} event */
self.onmessage = async ({ data: { bitmap, width, height, quality, port } }) => {
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  context?.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  port.postMessage(await canvas.convertToBlob({ type: "image/jpeg", quality }).catch(() => null));
};
