import { defineConfig } from 'vite';
import { precompress } from './precompress.ts';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: '../dist/web', emptyOutDir: true },
  plugins: [precompress()],
});
