import { element } from './dom';

/** Something that floats over the page until it is closed. */
export interface Popover {
  node: HTMLElement;
  close(): void;
}

export interface PopoverOptions {
  label: string;
  role?: 'dialog' | 'menu';
  className?: string;
  /** Gets the keyboard back. */
  home: HTMLElement;
  onClose?: () => void;
}

const EDGE = 8;

/**
 * Opens a popover at a place of the page; a click elsewhere or Escape closes it.
 *
 * It stands in the browser's top layer, so that no output area cuts it off, but belongs to `host`, whose colours it takes.
 */
export function openPopover(
  host: HTMLElement,
  at: { left: number; top: number; bottom: number },
  content: HTMLElement,
  options: PopoverOptions
): Popover {
  const node = element('div', {
    class: `lg-popover ${options.className ?? ''}`.trim(),
    role: options.role ?? 'dialog',
    'aria-label': options.label,
    tabindex: -1
  });
  node.append(content);
  node.setAttribute('popover', 'manual');
  host.append(node);
  let open = true;

  const close = (): void => {
    if (!open) {
      return;
    }
    open = false;
    document.removeEventListener('pointerdown', outside, true);
    window.removeEventListener('scroll', gone, true);
    window.removeEventListener('resize', close);
    const hadFocus = node.contains(document.activeElement);
    node.remove();
    if (hadFocus) {
      options.home.focus({ preventScroll: true });
    }
    options.onClose?.();
  };
  const outside = (event: Event): void => {
    if (!event.composedPath().includes(node)) {
      close();
    }
  };
  const stood = host.getBoundingClientRect();
  // What it belongs to has moved away under it; its own lists may scroll, and so may the rest of the page.
  const gone = (event: Event): void => {
    const inside = event.target instanceof Node && node.contains(event.target);
    const stands = host.getBoundingClientRect();
    const within = event.target instanceof Node && event.target !== host && host.contains(event.target);
    if (!inside && (within || stands.top !== stood.top || stands.left !== stood.left)) {
      close();
    }
  };
  node.addEventListener('keydown', event => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      close();
    }
  });
  document.addEventListener('pointerdown', outside, true);
  window.addEventListener('resize', close);
  if (typeof node.showPopover === 'function') {
    node.showPopover();
  }
  place(node, at);
  const first = node.querySelector<HTMLElement>('[autofocus], input, select, textarea, [role=menuitem], button');
  (first ?? node).focus({ preventScroll: true });
  window.addEventListener('scroll', gone, true);
  return { node, close };
}

function place(node: HTMLElement, at: { left: number; top: number; bottom: number }): void {
  const { width, height } = node.getBoundingClientRect();
  const room = document.documentElement;
  const left = Math.max(EDGE, Math.min(at.left, room.clientWidth - width - EDGE));
  const below = at.bottom + 2;
  const fits = below + height <= room.clientHeight - EDGE;
  const top = fits ? below : Math.max(EDGE, Math.min(at.top - height - 2, room.clientHeight - height - EDGE));
  node.style.left = `${left}px`;
  node.style.top = `${top}px`;
}
