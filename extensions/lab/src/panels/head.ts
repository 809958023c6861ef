import { refreshIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';

import { iconButton, textButton } from './button';
import { benchOf, type Choice } from './choice';
import { make, say } from './dom';
import { lastPart } from './texts';

/** The side bar's head: which bench it shows, and at which snapshot. */
export class Head extends Widget {
  constructor(choice: Choice) {
    super();
    this.addClass('luma-head');
    this.#choice = choice;
    this.#select.addEventListener('change', () => choice.pick(this.#select.value || null));
    const refresh = iconButton(refreshIcon, 'Read everything anew', () => void choice.refresh());
    this.#back.hidden = true;
    this.#back.append(
      this.#text,
      textButton('Newest', () => choice.look(null))
    );
    this.node.append(make('div', 'luma-head-bench', {}, this.#select, refresh), this.#back);
    choice.changed.connect(this.#show, this);
    this.#show();
  }

  #show(): void {
    const choice = this.#choice;
    const open = choice.notebook && benchOf(choice.notebook);
    const follow = open === null ? 'As the notebook' : `${lastPart(open)} (this notebook)`;
    const options = choice.paths
      .filter(path => path !== open)
      .map(path => make('option', '', { value: path, title: path }, choice.name(path)));
    const first = make('option', '', { value: '', title: open }, follow);
    this.#select.replaceChildren(first, ...options);
    const chosen = choice.picked ?? (choice.bench === open ? null : choice.bench);
    this.#select.value = chosen === open ? '' : (chosen ?? '');
    this.#select.title = choice.bench ?? 'No bench is open.';
    this.#back.hidden = choice.at === null;
    const pinned = choice.at !== null && choice.at === choice.pinned;
    const name = typeof choice.at === 'number' ? `snapshot ${choice.at}` : `tag ${choice.at}`;
    say(this.#text, pinned ? `As at ${name}, which the notebook is pinned to` : `As at ${name}`);
    this.#back.classList.toggle('luma-mod-pinned', !choice.back);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.#choice.changed.disconnect(this.#show, this);
      super.dispose();
    }
  }

  readonly #choice: Choice;
  readonly #select = make('select', 'luma-select', { 'aria-label': 'Bench' });
  readonly #text = make('span', 'luma-head-text', { role: 'status' });
  readonly #back = make('div', 'luma-head-at');
}
