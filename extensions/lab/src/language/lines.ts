import { type Extension, Prec, RangeSetBuilder } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { jupyterHighlightStyle } from '@jupyterlab/codemirror';
import { highlightTree } from '@lezer/highlight';

import { kadeql } from './tokenizer';

/** A line of a Python cell that asks KadeQL: `%kadeql …`, or `rows = %kadeql …`. */
const LINE = /^(\s*(?:[\w.,\s]+=\s*)?)%kadeql(?![\w-])/;

const plain = Decoration.mark({ class: 'luma-plain' });
const marks = new Map<string, Decoration>();

/** Colours the `%kadeql` lines that stand among Python. */
export function kadeqlLines(): Extension {
  // The innermost mark colours a word: that of the lowest precedence.
  return Prec.lowest(
    ViewPlugin.fromClass(
      class {
        constructor(view: EditorView) {
          this.decorations = colours(view);
        }

        decorations: DecorationSet;

        update(update: ViewUpdate): void {
          if (update.docChanged || update.viewportChanged) {
            this.decorations = colours(update.view);
          }
        }
      },
      { decorations: plugin => plugin.decorations }
    )
  );
}

function colours(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  for (const range of view.visibleRanges) {
    for (let at = range.from; at <= range.to; ) {
      const line = view.state.doc.lineAt(at);
      const found = LINE.exec(line.text);
      if (found) {
        colour(line.text.slice(found[1]?.length ?? 0), line.from + (found[1]?.length ?? 0), builder);
      }
      at = line.to + 1;
    }
  }
  return builder.finish();
}

/** Mark `text`, which stands at `offset`, from end to end, so that nothing of Python's colours is left in it. */
function colour(text: string, offset: number, builder: RangeSetBuilder<Decoration>): void {
  let done = 0;
  highlightTree(kadeql.parser.parse(text), jupyterHighlightStyle, (from, to, classes) => {
    if (from > done) {
      builder.add(offset + done, offset + from, plain);
    }
    let mark = marks.get(classes);
    if (!mark) {
      mark = Decoration.mark({ class: `luma-plain ${classes}` });
      marks.set(classes, mark);
    }
    builder.add(offset + from, offset + to, mark);
    done = to;
  });
  if (done < text.length) {
    builder.add(offset + done, offset + text.length, plain);
  }
}
