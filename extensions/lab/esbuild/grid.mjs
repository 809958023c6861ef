// Bundles the result grid as the ES module that `result.grid()` gives to anywidget: luma_bench/notebook/static/grid.{js,css}.
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';

const here = new URL('..', import.meta.url);
const at = path => fileURLToPath(new URL(path, here));
const out = at('../../luma_bench/notebook/static/');
const shared = { bundle: true, minify: true, target: 'es2022', legalComments: 'none', logLevel: 'warning' };

await build({ ...shared, entryPoints: [at('src/grid/anywidget.ts')], format: 'esm', outfile: `${out}grid.js` });
await build({ ...shared, entryPoints: [at('style/grid.css')], outfile: `${out}grid.css` });
