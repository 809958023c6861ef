import { Notification } from '@jupyterlab/apputils';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { format, LumaError } from '../api';
import { change, pieceOf } from './piece';

/** Whether there is KadeQL in `model` to format. */
export function formats(model: CodeEditor.IModel | null | undefined): boolean {
  const piece = model ? pieceOf(model.sharedModel.getSource(), model.mimeType) : null;
  return piece !== null && piece.text.trim() !== '';
}

/**
 * Format the KadeQL of `model` as one change that can be undone; whether anything changed.
 *
 * Nothing happens when the text changed while the server formatted it.
 *
 * @throws LumaError when it does not parse
 */
export async function formatModel(model: CodeEditor.IModel): Promise<boolean> {
  const before = model.sharedModel.getSource();
  const piece = pieceOf(before, model.mimeType);
  if (!piece || !piece.text.trim()) {
    return false;
  }
  const after = before.slice(0, piece.from) + (await format(piece.text, piece.cell));
  if (after === before || model.sharedModel.getSource() !== before) {
    return false;
  }
  const { from, to, insert } = change(before, after);
  model.sharedModel.updateSource(from, to, insert);
  return true;
}

/** Format `model`, and say why when that cannot be. */
export async function formatOrTell(model: CodeEditor.IModel): Promise<boolean> {
  try {
    return await formatModel(model);
  } catch (error) {
    if (error instanceof LumaError) {
      const place = error.line === null ? '' : ` (line ${error.line}${error.column === null ? '' : `, column ${error.column}`})`;
      Notification.warning(`Not formatted: ${error.message}${place} ${error.hint}`.trim(), { autoClose: 8000 });
      return false;
    }
    throw error;
  }
}

/** Format every KadeQL cell that parses; how many changed, and how many do not parse. */
export async function formatNotebook(panel: NotebookPanel): Promise<{ changed: number; failed: number }> {
  let changed = 0;
  let failed = 0;
  for (const cell of panel.content.widgets) {
    if (cell.model.type === 'code') {
      try {
        changed += Number(await formatModel(cell.model));
      } catch (error) {
        if (!(error instanceof LumaError) || error.status === 0 || error.status === 404) {
          throw error;
        }
        failed += 1;
      }
    }
  }
  return { changed, failed };
}
