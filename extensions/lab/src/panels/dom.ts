/** Attributes of an element; null and false leave one out, true writes an empty one. */
export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Make an element. Texts become text nodes, so nothing in them is read as HTML.
 *
 * @param classes its classes, parted by spaces
 */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  classes: string,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (classes) {
    made.className = classes;
  }
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : String(value));
    }
  }
  made.append(...children);
  return made;
}

/** Set or take away an attribute. */
export function mark(element: Element, name: string, value: string | number | null): void {
  if (value === null) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, String(value));
  }
}

/** Show `text` in `element`; a live region speaks only when it changed. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** `text` with each place that one of `words` stands at, whatever its case, marked. */
export function marked(text: string, words: readonly string[]): (Node | string)[] {
  const low = text.toLowerCase();
  // Some letters change their length when their case does: then places in the one are none in the other.
  const spans = low.length === text.length ? places(low, words) : [];
  const made: (Node | string)[] = [];
  let from = 0;
  for (const [start, stop] of spans) {
    made.push(text.slice(from, start), make('mark', 'luma-found', {}, text.slice(start, stop)));
    from = stop;
  }
  made.push(text.slice(from));
  return made;
}

function places(low: string, words: readonly string[]): [number, number][] {
  const found: [number, number][] = [];
  for (const word of words) {
    const at = low.indexOf(word);
    if (at >= 0 && word) {
      found.push([at, at + word.length]);
    }
  }
  found.sort((a, b) => a[0] - b[0]);
  return found.filter(([start], index) => index === 0 || start >= found[index - 1]![1]);
}
