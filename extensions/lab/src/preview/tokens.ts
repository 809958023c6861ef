import { Token } from '@lumino/coreutils';

/** First rows and columns of tables. */
export interface IPreview {
  /**
   * Show a table of the bench and at the snapshot that the side bar shows.
   *
   * @param focus whether the keyboard goes there
   */
  show(table: string, focus: boolean): void;
}

export const IPreview = new Token<IPreview>('luma-bench-lab:IPreview', "A table's first rows and its columns.");
