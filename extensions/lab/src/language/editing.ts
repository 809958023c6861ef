import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state';
import { EditorView, ViewPlugin } from '@codemirror/view';
import type { CodeEditor } from '@jupyterlab/codeeditor';

import { kadeqlLines } from './lines';
import { type Kind, kindOf } from './piece';
import { kadeqlSupport } from './tokenizer';

/** What an editor gets for what it holds. */
export interface Equipment {
  /** Checks, documentation and shortcuts of KadeQL. */
  tools(model: CodeEditor.IModel): Extension;
  /** Python's language, once it is loaded. */
  python(): Extension | null;
  /** Resolves when Python's language is loaded. */
  readonly loaded: Promise<void>;
}

/**
 * The languages of an editor by what stands in it: the text alone decides, in the transaction that changes it.
 *
 * JupyterLab gives an editor its language by the cell's media type, later and not at all for a cell that begins with a
 * magic; this outranks it, so no keystroke is shown in the wrong language.
 */
export function editing(model: CodeEditor.IModel, equipment: Equipment): Extension {
  const compartment = new Compartment();
  const marked = EditorView.editorAttributes.of({ class: 'luma-kadeql' });
  const lines = kadeqlLines();
  let tools: Extension | null = null;
  let shown: Kind = 'other';

  const content = (kind: Kind): Extension => {
    shown = kind;
    switch (kind) {
      case 'magic':
        return [Prec.highest(kadeqlSupport()), (tools ??= equipment.tools(model)), marked];
      case 'bare':
        return [(tools ??= equipment.tools(model)), marked];
      case 'python':
        return [Prec.highest(equipment.python() ?? []), lines];
      case 'other':
        return lines;
    }
  };

  const follow = EditorState.transactionExtender.of(tr => {
    if (!tr.docChanged) {
      return null;
    }
    const kind = kindOf(tr.newDoc.toString(), model.mimeType);
    return kind === shown ? null : { effects: compartment.reconfigure(content(kind)) };
  });

  const watch = ViewPlugin.define(view => {
    const look = (force = false): void => {
      const kind = kindOf(view.state.doc.toString(), model.mimeType);
      if (force || kind !== shown) {
        view.dispatch({ effects: compartment.reconfigure(content(kind)) });
      }
    };
    const onMime = (): void => look();
    model.mimeTypeChanged.connect(onMime);
    let destroyed = false;
    if (shown === 'python' && equipment.python() === null) {
      void equipment.loaded.then(() => !destroyed && shown === 'python' && look(true));
    }
    return {
      destroy: () => {
        destroyed = true;
        model.mimeTypeChanged.disconnect(onMime);
      }
    };
  });

  return [compartment.of(content(kindOf(model.sharedModel.getSource(), model.mimeType))), follow, watch];
}
