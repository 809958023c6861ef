/** Attributes of an element to make; `text` is its text, `class` its classes. */
export type Attributes = Record<string, string | number | boolean | undefined>;

/** Makes an HTML element; text goes in as text, whatever it holds. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') {
      made.textContent = String(value);
    } else if (value === true) {
      made.setAttribute(name, '');
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, String(value));
    }
  }
  made.append(...children);
  return made;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Makes an SVG element. */
export function drawing(tag: string, attributes: Attributes = {}, ...children: Node[]): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') {
      made.textContent = String(value);
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, String(value));
    }
  }
  made.append(...children);
  return made;
}

/** A button; it is no submit button, wherever it stands. */
export function button(attributes: Attributes, onClick: (event: MouseEvent) => void): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes });
  made.addEventListener('click', onClick);
  return made;
}

/** Has Enter in a field hand the form in: pages around it, as JupyterLab's, keep browsers from doing that by themselves. */
export function submitOnEnter(form: HTMLFormElement): void {
  form.addEventListener('keydown', event => {
    if (event.key === 'Enter' && event.target instanceof Element && event.target.matches('input, select')) {
      event.preventDefault();
      event.stopPropagation();
      form.requestSubmit();
    }
  });
}

let count = 0;

/** An id that no other element of the page has. */
export function freshId(): string {
  count += 1;
  return `lg-${Math.random().toString(36).slice(2, 8)}-${count}`;
}
