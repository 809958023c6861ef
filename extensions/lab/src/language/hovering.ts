import type { Extension } from '@codemirror/state';
import { type EditorView, hoverTooltip, type Tooltip } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { hover, LumaError } from '../api';
import type { ISettings } from '../tokens';
import { pieceOf } from './piece';
import type { Places } from './places';

/** Documentation of what the pointer rests on. */
export function hovering(
  model: CodeEditor.IModel,
  places: Places,
  settings: ISettings,
  rendermime: IRenderMimeRegistry
): Extension {
  const source = async (view: EditorView, position: number): Promise<Tooltip | null> => {
    const piece = settings.hover ? pieceOf(view.state.doc.toString(), model.mimeType) : null;
    if (!piece || position < piece.from) {
      return null;
    }
    try {
      const found = await hover({ text: piece.text, cell: piece.cell, ...places.place(model) }, position - piece.from);
      if (!found) {
        return null;
      }
      const dom = await rendered(found.markdown, rendermime);
      return { pos: found.from + piece.from, end: found.to + piece.from, above: true, create: () => ({ dom }) };
    } catch (error) {
      if (error instanceof LumaError) {
        console.debug(`Luma Bench: ${error.message} ${error.hint}`);
        return null;
      }
      throw error;
    }
  };
  return hoverTooltip(source, { hoverTime: 350, hideOnChange: true });
}

async function rendered(markdown: string, rendermime: IRenderMimeRegistry): Promise<HTMLElement> {
  const data = { 'text/markdown': markdown };
  const renderer = rendermime.createRenderer('text/markdown');
  await renderer.renderModel(rendermime.createModel({ data }));
  const node = document.createElement('div');
  node.className = 'luma-hover';
  node.append(renderer.node);
  return node;
}
