import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { Session } from './session';

/** The settings of schema/plugin.json. */
export interface ISettings {
  readonly changed: ISignal<ISettings, void>;
  /** Whether KadeQL is checked while it is typed. */
  readonly lint: boolean;
  /** Whether documentation shows on hover. */
  readonly hover: boolean;
  /** Whether saving formats KadeQL. */
  readonly formatOnSave: boolean;
  /** Rows that a result shows before it scrolls. */
  readonly gridRows: number;
  /** Rows of a table's preview. */
  readonly previewRows: number;
}

export const ISettings = new Token<ISettings>('luma-bench-lab:ISettings', 'The settings of Luma Bench.');

/** The notebooks' links to their kernels. */
export interface ISessions {
  /** The session of the notebook in front, if one is. */
  readonly current: Session | null;
  /** Another notebook came to the front (or none). For changes within it, see `Session.changed`. */
  readonly currentChanged: ISignal<ISessions, Session | null>;
  /** A notebook was opened. */
  readonly added: ISignal<ISessions, Session>;
  /** The session of `panel`; the same one every time. */
  of(panel: NotebookPanel): Session;
  /** Every session that is open now. */
  all(): readonly Session[];
}

export const ISessions = new Token<ISessions>('luma-bench-lab:ISessions', "The notebooks' links to their kernels.");
