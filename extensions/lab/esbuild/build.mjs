// Builds everything that people get: the prebuilt JupyterLab extension in luma_bench/labextension, and the result grid
// as a module of its own in luma_bench/notebook/static. Needs `npm ci` and nothing else: no Python, no network.
// `--despite-types` builds although types do not fit, for trying things out.
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const run = (...words) => execFileSync(process.execPath, words, { cwd: here, stdio: 'inherit' });

rmSync(`${here}lib`, { recursive: true, force: true });
try {
  run('node_modules/typescript/bin/tsc');
} catch (error) {
  if (!process.argv.includes('--despite-types')) {
    process.exit(error.status ?? 1);
  }
}
run('esbuild/grid.mjs');
run(
  'node_modules/@jupyter/builder/lib/build-labextension.js',
  '--core-package-file',
  'node_modules/@jupyterlab/core-meta/core.package.json',
  '.'
);
copyFileSync(`${here}install.json`, `${here}../../luma_bench/labextension/install.json`);
