import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

// What the bundle contains of others travels with its licence.
const licences = (packages: string[]): Plugin => ({
  name: 'licences',
  generateBundle() {
    const source = packages
      .map((name) => `${name}\n\n${readFileSync(new URL(`node_modules/${name}/LICENSE`, import.meta.url), 'utf8')}`)
      .join('\n\n');
    this.emitFile({ type: 'asset', fileName: 'assets/licences.txt', source });
  },
});

export default defineConfig({
  base: './', // the page works below any path of a reverse proxy
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2021',
    assetsInlineLimit: 0, // no data: addresses: everything is a file of the server, which a strict Content-Security-Policy can allow
    modulePreload: { polyfill: false },
  },
  plugins: [licences(['preact'])],
  server: { proxy: { '/v1': process.env.SIGNET_URL ?? 'http://127.0.0.1:8080' } },
  test: { environment: 'node', testTimeout: 60000, hookTimeout: 600000, expect: { poll: { timeout: 15000 } } },
} as Parameters<typeof defineConfig>[0]);
