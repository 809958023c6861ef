import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { make } from './dom';
import { Notice } from './notice';
import type { Tree } from './tree';

/** A part of the side bar: a search, a notice, a tree, and a line below it. What it shows is read when it is on the screen. */
export abstract class TreeSection<T> extends Widget {
  constructor(id: string, label: string) {
    super();
    this.id = `luma-bench-${id}`;
    this.addClass('luma-section');
    this.addClass(`luma-${id}`);
    this.title.label = label;
  }

  /** What commands are about. */
  get selected(): T | null {
    return this.tree.active?.node.data ?? null;
  }

  /** Put the cursor into the search. */
  focusSearch(): void {
    this.input.focus();
    this.input.select();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.tree.dispose();
      Signal.disconnectReceiver(this);
      super.dispose();
    }
  }

  /** Read what is shown if that is not what it was, or not yet; nothing where it is off the screen. */
  protected abstract read(): void;

  protected abstract readonly tree: Tree<T>;
  protected abstract readonly input: HTMLInputElement;
  protected readonly notice = new Notice();
  protected readonly foot = make('div', 'luma-foot', { role: 'status' });

  /** Put the parts into the page. */
  protected lay(): void {
    this.node.append(make('div', 'luma-search', {}, this.input), this.notice.node, this.tree.node, this.foot);
  }

  protected override onAfterShow(): void {
    this.read();
  }

  protected override onAfterAttach(): void {
    this.read();
  }
}
