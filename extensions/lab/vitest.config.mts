import { defineConfig } from 'vitest/config';

// JupyterLab's packages are ES modules written for bundlers (imports without file endings): vite reads them, node cannot.
export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['test/**/*.test.ts'],
    pool: 'threads',
    maxWorkers: 2,
    setupFiles: ['test/setup.ts'],
    server: { deps: { inline: [/@jupyterlab\//, /@jupyter\//, /@lumino\//] } }
  }
});
