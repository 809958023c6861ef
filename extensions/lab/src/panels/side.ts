import { SidePanel } from '@jupyterlab/ui-components';

import { lumaIcon } from '../icons';
import type { Choice } from './choice';
import { Head } from './head';

/** The side bar of Luma Bench: which bench, and below it the sections that the plugins add. */
export class Side extends SidePanel {
  constructor(choice: Choice) {
    super();
    this.id = Side.id;
    this.addClass('luma-side');
    this.title.icon = lumaIcon;
    this.title.caption = 'Luma Bench';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Luma Bench');
    this.content.node.setAttribute('aria-label', 'Luma Bench: catalog and snapshots');
    this.header.addWidget(new Head(choice));
  }

  /** What JupyterLab's layout knows it by. */
  static readonly id = 'luma-bench-side';
}
