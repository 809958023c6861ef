import { count, visible } from './cells';
import { button, element } from './dom';
import type { GridModel } from './model';
import { openPopover } from './popover';

const MOST = 300;

/** Opens the list of all columns: tick to show, untick to hide, a name to go there. */
export function openChooser(
  host: HTMLElement,
  at: DOMRect,
  model: GridModel,
  home: HTMLElement,
  goTo: (column: number) => void
): void {
  const search = element('input', { type: 'search', placeholder: 'Find a column', 'aria-label': 'Find a column', spellcheck: 'false' });
  const list = element('div', { class: 'lg-chooser-list' });
  const show = (): void => {
    const wanted = search.value.toLowerCase();
    const found = model.columns.filter(column => column.name.toLowerCase().includes(wanted));
    list.textContent = '';
    for (const column of found.slice(0, MOST)) {
      const box = element('input', { type: 'checkbox', 'aria-label': `Show ${visible(column.name)}` });
      box.checked = !model.layout.hidden.has(column.index);
      box.addEventListener('change', () => {
        if (box.checked) {
          model.layout.show(column.index);
        } else {
          model.layout.hide(column.index);
          // The last one stays.
          box.checked = !model.layout.hidden.has(column.index);
        }
        model.selection.clear();
        model.changed.emit('layout');
      });
      const name = button({ class: 'lg-link', text: visible(column.name), dir: 'auto' }, () => {
        popover.close();
        if (model.layout.hidden.has(column.index)) {
          model.layout.show(column.index);
          model.changed.emit('layout');
        }
        goTo(column.index);
      });
      list.append(element('div', { class: 'lg-chooser-line' }, box, name, element('small', { text: visible(column.type) })));
    }
    if (found.length > MOST) {
      list.append(element('div', { class: 'lg-chooser-more', text: `${count(found.length - MOST)} more: narrow the search.` }));
    } else if (!found.length) {
      list.append(element('div', { class: 'lg-chooser-more', text: 'No column has that in its name.' }));
    }
  };
  search.addEventListener('input', show);
  const all = button({ class: 'lg-button', text: 'Show all' }, () => {
    model.layout.showAll();
    model.changed.emit('layout');
    show();
  });
  show();
  const content = element('div', { class: 'lg-chooser' }, element('div', { class: 'lg-chooser-head' }, search, all), list);
  const popover = openPopover(host, at, content, { label: 'Columns', home });
}
