/** For Vite: each file also as `.br` and `.gz`, so that the server has nothing to compress. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const minBytes = 1024; // less fits one packet either way

export function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    enforce: 'post', // index.html is made by a plugin, too
    generateBundle: {
      order: 'post', // Vite itself still writes into the code here
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          const content = Buffer.from(file.type === 'chunk' ? file.code : file.source);
          if (content.byteLength < minBytes || /\.(?:png|jpe?g|webp|woff2)$/.test(file.fileName)) continue;
          this.emitFile({
            type: 'asset',
            fileName: `${file.fileName}.br`,
            source: brotliCompressSync(content),
          });
          this.emitFile({
            type: 'asset',
            fileName: `${file.fileName}.gz`,
            source: gzipSync(content, { level: 9 }),
          });
        }
      },
    },
  };
}
