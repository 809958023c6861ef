import type { Notebook } from '@jupyterlab/notebook';
import { NotebookActions } from '@jupyterlab/notebook';
import type { KernelMessage } from '@jupyterlab/services';

import { LumaError } from '../api';
import type { Session } from '../session';

/** Whether the cells of a session's notebook are KadeQL without a magic. */
export function isKadeQL(session: Session): boolean {
  return session.panel.content.codeMimetype === 'text/x-kadeql';
}

/** Put `text` where the cursor of the notebook's active cell is, and go there; false when there is no such place. */
export function insertText(session: Session, text: string): boolean {
  const notebook = session.panel.content;
  const editor = notebook.activeCell?.editor;
  if (!editor?.replaceSelection || notebook.activeCell?.model.getMetadata('editable') === false) {
    return false;
  }
  editor.replaceSelection(text);
  notebook.mode = 'edit';
  editor.focus();
  return true;
}

/**
 * Put code cells below the notebook's active cell, which is taken itself when it is an empty code cell, and go to the last.
 *
 * @returns whether the notebook takes any
 */
export function insertCells(session: Session, sources: readonly string[]): boolean {
  const notebook = session.panel.content;
  if (!notebook.model || notebook.model.readOnly) {
    return false;
  }
  for (const source of sources) {
    const active = notebook.activeCell?.model;
    if (!active || active.type !== 'code' || active.sharedModel.getSource().trim() !== '') {
      NotebookActions.insertBelow(notebook);
    }
    notebook.activeCell?.model.sharedModel.setSource(source);
  }
  edit(notebook);
  return true;
}

/**
 * Run `code` in the notebook's kernel, without a cell and outside of its history.
 *
 * @throws LumaError with what the kernel says, or that there is none
 */
export async function runInKernel(session: Session, code: string): Promise<void> {
  const kernel = session.kernel;
  if (!kernel) {
    throw new LumaError('The notebook has no kernel.', 0, 'Start one: Kernel › Change Kernel.');
  }
  const future = kernel.requestExecute({ code, store_history: false, silent: false, stop_on_error: false });
  let told = '';
  future.onIOPub = message => {
    if (message.header.msg_type === 'error') {
      told = (message as KernelMessage.IErrorMsg).content.evalue;
    }
  };
  const reply = await future.done;
  if (reply.content.status !== 'ok') {
    const said = 'evalue' in reply.content ? String(reply.content.evalue) : '';
    throw new LumaError(told || said || 'The kernel did not run it.', 0, '');
  }
}

function edit(notebook: Notebook): void {
  notebook.mode = 'edit';
  // A cell outside of the screen gets its editor once it is scrolled to, and the editor the focus.
  void NotebookActions.focusActiveCell(notebook).then(() => notebook.activeCell?.editor?.focus());
}
