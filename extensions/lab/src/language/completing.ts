import type { Completer, CompletionHandler, ICompletionContext, ICompletionProvider } from '@jupyterlab/completer';

import { complete } from '../api';
import { type Piece, pieceOf } from './piece';
import type { Places } from './places';
import { RankedModel } from './ranking';

/**
 * Completion of KadeQL by the server, where the kernel does not answer: while it runs a cell, before it has started, and
 * in files. Otherwise the kernel completes, which knows the notebook's variables too.
 */
export class ServerCompletion implements ICompletionProvider {
  constructor(places: Places) {
    this.#places = places;
  }

  readonly identifier = 'luma-bench:server';
  /** The first of all: JupyterLab's debugger has 1000, and the first one alone is asked for the model. */
  readonly rank = 1100;
  readonly renderer = null;

  /** JupyterLab asks the first provider for the model of all of them. */
  async modelFactory(context: ICompletionContext): Promise<Completer.IModel> {
    return new RankedModel(() => piece(context) !== null);
  }

  async isApplicable(context: ICompletionContext): Promise<boolean> {
    const status = context.session?.kernel?.status;
    return status !== 'idle' && piece(context) !== null;
  }

  async fetch(
    request: CompletionHandler.IRequest,
    context: ICompletionContext
  ): Promise<CompletionHandler.ICompletionItemsReply> {
    const found = piece(context);
    const model = context.editor?.model;
    if (!found || !model || request.offset < found.from) {
      return { start: request.offset, end: request.offset, items: [] };
    }
    const source = { text: found.text, cell: found.cell, ...this.#places.place(model) };
    const { from, to, items } = await complete(source, request.offset - found.from);
    return {
      start: from + found.from,
      end: to + found.from,
      items: items.map(({ text, kind, detail, doc }) => ({
        label: text,
        type: kind,
        documentation: [detail && `\`${detail}\``, doc].filter(Boolean).join('\n\n')
      }))
    };
  }

  readonly #places: Places;
}

function piece(context: ICompletionContext): Piece | null {
  const model = context.editor?.model;
  return model ? pieceOf(model.sharedModel.getSource(), model.mimeType) : null;
}
