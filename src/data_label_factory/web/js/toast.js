import { byId, setText } from "./dom.js";

const SHOWN_MS = 7000;
let timer = 0;

/** Show a message for a while, with a button. @param {string} text @param {string} [action] @param {() => void} [act] */
export function toast(text, action = "", act = () => undefined) {
  const [box, button] = [byId("toast", HTMLDivElement), byId("toast-action", HTMLButtonElement)];
  box.hidden = false;
  setText(byId("toast-text", HTMLSpanElement), text);
  setText(button, action || "Close");
  button.onclick = () => {
    box.hidden = true;
    act();
  };
  clearTimeout(timer);
  timer = window.setTimeout(() => (box.hidden = true), SHOWN_MS);
}
