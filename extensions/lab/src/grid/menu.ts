import { button, element } from './dom';
import { openPopover } from './popover';

/** A line of a menu, or a line between lines. */
export type MenuItem = { label: string; run: () => void; disabled?: boolean; checked?: boolean; note?: string } | 'line';

/** Opens a menu; arrows, Home, End and first letters move in it. */
export function openMenu(
  host: HTMLElement,
  at: { left: number; top: number; bottom: number },
  items: readonly MenuItem[],
  label: string,
  home: HTMLElement
): void {
  const list = element('div', { class: 'lg-menu', role: 'presentation' });
  const buttons: HTMLButtonElement[] = [];
  for (const item of items) {
    if (item === 'line') {
      list.append(element('div', { class: 'lg-menu-line', role: 'separator' }));
      continue;
    }
    const made = button(
      {
        class: 'lg-menu-item',
        role: item.checked === undefined ? 'menuitem' : 'menuitemcheckbox',
        'aria-checked': item.checked === undefined ? undefined : String(item.checked),
        tabindex: -1,
        disabled: item.disabled
      },
      () => {
        menu.close();
        item.run();
      }
    );
    made.append(element('span', { text: item.label }));
    if (item.note) {
      made.append(element('span', { class: 'lg-menu-note', text: item.note }));
    }
    list.append(made);
    if (!item.disabled) {
      buttons.push(made);
    }
  }
  const menu = openPopover(host, at, list, { label, role: 'menu', className: 'lg-menu-popover', home });
  const go = (index: number): void => buttons[(index + buttons.length) % buttons.length]?.focus();
  list.addEventListener('keydown', event => {
    const present = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const moves: Record<string, number> = {
      ArrowDown: present + 1,
      ArrowUp: present < 0 ? -1 : present - 1,
      Home: 0,
      End: -1
    };
    if (event.key in moves) {
      go(moves[event.key]);
    } else if (event.key === 'Tab') {
      menu.close();
    } else if (event.key.length === 1 && event.key !== ' ') {
      const letter = event.key.toLowerCase();
      const after = [...buttons.slice(present + 1), ...buttons.slice(0, present + 1)];
      after.find(item => item.textContent?.toLowerCase().startsWith(letter))?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  go(0);
}
