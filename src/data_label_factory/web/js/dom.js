/**
 * An element with its properties set; `class`, `aria-…` and `data-…` are attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, any>} [properties] @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class" || name.includes("-")) element.setAttribute(name, value);
    else Object.assign(element, { [name]: value });
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * The element with this id. Throws an Error if the page lacks it.
 * @template {HTMLElement} T
 * @param {string} id @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page lacks #${id}`);
  return element;
}

/** Write only changed text, so that answers neither repeat announcements nor drop a selection. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Add a class for `ms`; if it is there already, restart its animation. @param {Element} element @param {string} name @param {number} ms */
export function flash(element, name, ms) {
  for (const animation of element.getAnimations()) animation.cancel();
  element.classList.remove(name);
  requestAnimationFrame(() => element.classList.add(name));
  const token = String(performance.now());
  element.setAttribute("data-flash", token);
  setTimeout(() => {
    if (element.getAttribute("data-flash") === token) element.classList.remove(name);
  }, ms);
}

/** A reference picture, or a placeholder without one. @param {string} url @param {string} alt */
export function picture(url, alt) {
  const none = () => h("div", { class: "thumb none", "aria-hidden": "true" }, "?");
  if (!url) return none();
  const image = h("img", { class: "thumb", src: url, alt, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(none()), { once: true });
  return image;
}

/**
 * Make these the rows of a list. Those that stay are not touched: a press or the focus would be lost with them.
 * @param {HTMLElement} list @param {readonly HTMLElement[]} rows
 */
export function setRows(list, rows) {
  const kept = new Set(rows);
  for (const old of [...list.children]) if (!kept.has(/** @type {HTMLElement} */ (old))) old.remove();
  rows.forEach((row, i) => list.children[i] === row || list.insertBefore(row, list.children[i] ?? null));
}
