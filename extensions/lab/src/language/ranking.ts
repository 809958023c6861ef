import { type CompletionHandler, CompleterModel } from '@jupyterlab/completer';

/** Kinds of items that KadeQL alone has. */
const KINDS = new Set([
  'alias', 'column', 'condition', 'cte', 'field', 'graph', 'label', 'option', 'parameter', 'snapshot', 'table', 'table-function',
  'table-variable', 'tag', 'view'
]); // prettier-ignore

type Items = CompletionHandler.ICompletionItems;
type Item = CompletionHandler.ICompletionItem;

/**
 * A completer's items, those of KadeQL in the order in which they were found: columns before functions, and these before keywords.
 *
 * JupyterLab sorts what goes on the typed text by its letters alone, and adds the words of the cell to it.
 */
export class RankedModel extends CompleterModel {
  /** @param isKadeQL whether the cursor is in KadeQL */
  constructor(isKadeQL: () => boolean) {
    super();
    this.#isKadeQL = isKadeQL;
  }

  override setCompletionItems(items: Items): void {
    this.#ranked = this.#isKadeQL() || items.some(item => item.type !== undefined && KINDS.has(item.type));
    // A word of the cell has no type: nobody said that it may stand here.
    const kept = this.#ranked ? items.filter(item => item.type !== undefined) : items;
    this.#places = new Map(kept.map((item, place) => [item.insertText ?? item.label, place]));
    super.setCompletionItems(kept);
  }

  override completionItems(): Items {
    const held = this.processedItemsCache;
    const items = super.completionItems();
    if (this.#ranked && this.query && items !== held) {
      this.processedItemsCache = this.#sorted(items);
    }
    return this.processedItemsCache ?? items;
  }

  /** What begins with the typed text, in the order of the answer, then what holds its letters, the best match first. */
  #sorted(items: Items): Items {
    const typed = bare(this.query);
    const place = (item: Item): number => this.#places.get(item.insertText ?? item.label) ?? Infinity;
    const begins = items.filter(item => bare(item.insertText ?? item.label).startsWith(typed));
    const rest = items.filter(item => !bare(item.insertText ?? item.label).startsWith(typed));
    return [...begins.sort((one, other) => place(one) - place(other)), ...rest];
  }

  readonly #isKadeQL: () => boolean;
  #ranked = false;
  #places = new Map<string, number>();
}

function bare(text: string): string {
  return text.replace(/^["'`]+/, '').toLowerCase();
}
