import { ServerConnection } from '@jupyterlab/services';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { format, hover, lint, LumaError, request } from '../src/api';

function answer(status: number, body: unknown): ReturnType<typeof vi.spyOn> {
  const response = new Response(typeof body === 'string' ? body : JSON.stringify(body), { status });
  return vi.spyOn(ServerConnection, 'makeRequest').mockResolvedValue(response);
}

const failed = (promise: Promise<unknown>): Promise<LumaError> =>
  promise.then(
    () => expect.unreachable(),
    error => error as LumaError
  );

describe('a request of the server', () => {
  afterEach(() => vi.restoreAllMocks());

  it('leaves absent parameters out and posts bodies as JSON', async () => {
    const asked = answer(200, { ok: 1 });
    expect(await request('catalog', { query: { bench: '/srv/a b.luma', at: null, rows: 3 } })).toEqual({ ok: 1 });
    expect(asked.mock.calls[0]?.[0]).toMatch(/\/luma-bench\/catalog\?bench=%2Fsrv%2Fa\+b\.luma&rows=3$/);
    answer(200, { problems: [] });
    await lint({ text: 'SELECT 1', cell: false, bench: null });
    expect(asked.mock.calls[1]?.[1]).toMatchObject({
      method: 'POST',
      body: JSON.stringify({ text: 'SELECT 1', cell: false, bench: null })
    });
  });

  it('fails with what the server says, and where', async () => {
    answer(400, { message: 'It does not parse.', hint: 'Close the bracket.', line: 2, column: 7 });
    const error = await failed(format('SELECT (', false));
    expect(error).toBeInstanceOf(LumaError);
    expect(error).toMatchObject({ message: 'It does not parse.', hint: 'Close the bracket.', line: 2, column: 7, status: 400 });
  });

  it('says that the extension is missing, or that nothing answers', async () => {
    answer(404, '<html>404</html>');
    expect(await failed(request('lint'))).toMatchObject({ status: 404, message: expect.stringContaining('lacks') });
    vi.spyOn(ServerConnection, 'makeRequest').mockRejectedValue(new TypeError('Failed to fetch'));
    expect(await failed(request('lint'))).toMatchObject({ status: 0, hint: expect.stringContaining('runs') });
  });

  it('has nothing to say where there is nothing', async () => {
    answer(200, {});
    expect(await hover({ text: '', cell: false, bench: null }, 0)).toBeNull();
  });
});
