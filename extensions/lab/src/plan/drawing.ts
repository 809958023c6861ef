const ELEMENTS = new Set(['svg', 'g', 'path', 'rect', 'circle', 'line', 'text', 'tspan', 'title']);
const ATTRIBUTES =
  /^(class|x|y|dx|dy|x1|x2|y1|y2|cx|cy|r|rx|ry|d|width|height|viewBox|transform|fill|stroke|color|text-anchor|role|aria-label|data-[a-z]+|fill-opacity|stroke-[a-z]+|font-[a-z]+)$/;
const SVG = 'http://www.w3.org/2000/svg';

/**
 * The drawing of a plan out of the text of an output, rebuilt from elements and attributes that can neither run nor load
 * anything: a notebook that nobody trusts yet may hold any text. Null where there is none.
 */
export function readDrawing(markup: string): SVGSVGElement | null {
  const found = new DOMParser().parseFromString(markup, 'text/html').querySelector('svg.luma-plan');
  return found ? (rebuilt(found) as SVGSVGElement) : null;
}

function rebuilt(source: Element): SVGElement {
  const made = document.createElementNS(SVG, source.localName);
  for (const { name, value } of source.attributes) {
    if (ATTRIBUTES.test(name) && !/url\s*\(/i.test(value)) {
      made.setAttribute(name, value);
    }
  }
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      made.append(child.textContent ?? '');
    } else if (child instanceof Element && ELEMENTS.has(child.localName)) {
      made.append(rebuilt(child));
    }
  }
  return made;
}

/** Makes an SVG element. */
export function shape(tag: string, attributes: Record<string, string | number>, text = ''): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, String(value));
  }
  made.textContent = text;
  return made;
}
