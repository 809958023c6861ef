import { tableFromIPC } from '@uwdata/flechette';

/** The values of one column of a page. */
export interface PageColumn {
  /** The value of a row of the page; null for NULL. */
  at(row: number): unknown;
  /** Whether the session already wrote the values as text, as they are to be shown. */
  shown: boolean;
  /** How many elements vectors have of which the first ones came; 0 for other columns. */
  length: number;
}

/** Rows × columns of a view. */
export interface Page {
  rows: number;
  columns: PageColumn[];
  bytes: number;
}

/** Reads an Arrow IPC stream. */
export function decodePage(buffer: DataView | ArrayBuffer): Page {
  const bytes =
    buffer instanceof ArrayBuffer
      ? new Uint8Array(buffer)
      : // A buffer of a message stands anywhere in it; Arrow's arrays need their alignment.
        new Uint8Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength).slice();
  const table = tableFromIPC(bytes, { useBigInt: true });
  const columns = table.schema.fields.map((field, index): PageColumn => {
    const values = table.getChildAt(index);
    return {
      at: row => values.at(row),
      shown: field.metadata?.get('luma.shown') === 'text',
      length: Number(field.metadata?.get('luma.length') ?? 0)
    };
  });
  return { rows: table.numRows, columns, bytes: bytes.byteLength };
}
