import { count } from './cells';
import type { GridModel } from './model';
import type { ExportReply } from './protocol';
import { tabSeparated } from './selection';

const AT_ONCE = 20_000;

/** Puts a text on the clipboard; pages without a secure origin have only the old way. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  const before = document.activeElement;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) {
    before.focus({ preventScroll: true });
  }
  if (!done) {
    throw new Error('The browser did not let the text onto the clipboard.');
  }
}

/**
 * Copies the selected cells as tab-separated lines.
 *
 * What is here whole is copied at once. The rest, and what is cut in its cell, comes from the session.
 */
export async function copySelection(model: GridModel): Promise<void> {
  const area = model.selection.area;
  if (!area || area.top < 0) {
    return;
  }
  const columns = model.layout.shown.slice(area.left, area.right + 1);
  try {
    const here = model.selection.cells <= AT_ONCE ? linesHere(model, area.top, area.bottom, columns) : null;
    if (here) {
      await copyText(tabSeparated(here));
    } else {
      const wanted = {
        type: 'export',
        view: model.view,
        to: 'clipboard',
        columns: [...columns],
        rows: [area.top, area.bottom + 1],
        header: false
      };
      const { message } = await model.run('Copying', model.requests.ask<ExportReply>(wanted));
      await copyText(message.text ?? '');
    }
    const cells = model.selection.cells;
    model.say(`${count(cells)} cell${cells === 1 ? '' : 's'} copied.`);
  } catch (error) {
    model.fail(error);
  }
}

/** The texts of cells that are all here and whole; null when one is not. */
function linesHere(model: GridModel, top: number, bottom: number, columns: readonly number[]): string[][] | null {
  const lines: string[][] = [];
  for (let row = top; row <= bottom; row += 1) {
    const line: string[] = [];
    for (const column of columns) {
      const shown = model.shown(row, column);
      if (!shown || shown.cut) {
        return null;
      }
      const value = model.value(row, column);
      line.push(shown.null ? '' : typeof value === 'string' ? value : typeof value === 'number' ? String(value) : shown.text);
    }
    lines.push(line);
  }
  return lines;
}
