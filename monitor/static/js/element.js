/** Elements of the page: everything that people or networks say goes in as text, never as markup. */

/** A new element with a class and a text. */
export function make(name, kind, text = "") {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  element.textContent = text;
  return element;
}

/** Replace a text, unless it is the same: an unchanged element is not painted, nor announced. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
