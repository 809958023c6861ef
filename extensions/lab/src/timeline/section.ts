import type { Choice } from '../panels/choice';
import { make, say } from '../panels/dom';
import { TreeSection } from '../panels/section';
import { count, counted } from '../panels/texts';
import { Tree } from '../panels/tree';
import { drawMoment } from './draw';
import type { TimelineModel } from './model';
import type { Moment, MomentNode } from './nodes';

const HEIGHTS = { snapshot: 42, change: 24, more: 24 };
/** Pages that a search reads by itself without finding anything. */
const EAGER = 8;

/** The snapshots: a filter, and who changed what when, newest first. */
export class TimelineSection extends TreeSection<Moment> {
  constructor(model: TimelineModel, choice: Choice, enter: (moment: Moment) => void) {
    super('timeline', 'Snapshots');
    this.#model = model;
    this.#choice = choice;
    this.tree = new Tree<Moment>({
      label: 'Snapshots, newest first',
      columns: ['Snapshot', 'Rows'],
      height: node => HEIGHTS[node.data.kind],
      draw: row =>
        drawMoment(row.node.data, { words: model.words, now: Date.now(), at: this.#here, eager: this.#eager > 0 }),
      onToggle: (node, open) => model.toggle(node, open),
      onEnter: node => this.#enter(node, enter),
      onDraw: node => this.#onDraw(node)
    });
    this.input.addEventListener('input', () => this.filter(this.input.value));
    this.lay();
    model.changed.connect(this.#show, this);
    choice.changed.connect(this.#onChoice, this);
    this.#show();
  }

  /** Leave only snapshots that have every word of `text`. */
  filter(text: string): void {
    this.input.value = text;
    this.#eager = EAGER;
    this.#model.search(text);
  }

  /** The id of the snapshot that the catalog shows, where it is no newest. */
  get #here(): number | null {
    const at = this.#choice.at;
    return typeof at === 'string' ? (this.#model.snapshots.find(entry => entry.tags.includes(at))?.id ?? null) : at;
  }

  #onChoice(): void {
    this.read();
    this.#show();
  }

  protected override read(): void {
    // Which snapshot is looked at changes nothing of the list.
    const key = JSON.stringify([this.#choice.bench, this.#choice.news]);
    if (this.isVisible && key !== this.#key) {
      this.#key = key;
      void this.#model.read(this.#choice.bench);
    }
  }

  #show(): void {
    const { rows, snapshots, words, complete, error } = this.#model;
    this.tree.node.hidden = rows.length === 0;
    this.tree.show(rows);
    if (error && snapshots.length === 0) {
      this.notice.fail(error, { label: 'Try again', run: () => void this.#choice.refresh() });
    } else if (this.#choice.bench === null) {
      this.notice.say('No bench is open.');
    } else if (snapshots.length === 0) {
      this.notice.say('Reading the snapshots …');
    } else if (rows.length === 0) {
      this.notice.say('No snapshot has all these words.');
    } else {
      this.notice.clear();
    }
    const left = words.length > 0 ? `${count(this.#model.found)} found in ` : '';
    const all = complete ? '' : 'newest ';
    say(this.foot, snapshots.length > 0 ? left + all + counted(snapshots.length, 'snapshot') : '');
    this.node.setAttribute('aria-busy', String(this.#model.busy));
  }

  #onDraw(node: MomentNode): void {
    if (node.data.kind !== 'more' || node.data.failed !== null || this.#model.busy) {
      return;
    }
    if (this.#model.words.length > 0 && this.#model.found === 0) {
      // A word that nothing has would read a long history to its beginning.
      this.#eager -= 1;
      if (this.#eager < 0) {
        return;
      }
    }
    // The tree is drawing: what changes it comes after.
    queueMicrotask(() => void this.#model.readMore());
  }

  #enter(node: MomentNode, enter: (moment: Moment) => void): void {
    if (node.data.kind === 'more') {
      this.#eager = EAGER;
      void this.#model.readMore();
    } else {
      enter(node.data);
    }
  }

  readonly #model: TimelineModel;
  readonly #choice: Choice;
  protected readonly tree: Tree<Moment>;
  protected readonly input = make('input', 'luma-input', {
    type: 'search',
    placeholder: 'Filter by table, author, message, tag',
    'aria-label': 'Filter the snapshots',
    spellcheck: 'false'
  });
  #key = '';
  #eager = EAGER;
}
