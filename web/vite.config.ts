import { defineConfig } from 'vite';
import { precompress } from './precompress.ts';

/** For `npx vite web`: the running service that answers what the page asks. */
const service = process.env['TRAINYARD_URL'] ?? 'http://127.0.0.1:3000';
const asked = [
  '/jobs',
  '/predict',
  '/models',
  '/registry',
  '/recipes',
  '/datasets',
  '/health',
  '/docs',
  '/openapi.json',
];

export default defineConfig({
  base: './', // the page may lie below a path of a proxy
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [precompress()],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // With the browser's own Host: the service refuses what another site asks.
  server: {
    proxy: Object.fromEntries(asked.map((path) => [path, { target: service, changeOrigin: false }])),
  },
});
