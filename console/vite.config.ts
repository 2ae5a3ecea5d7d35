import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { standInPlugin } from './dev/vite-plugin.ts'

export default defineConfig({
  plugins: [svelte(), standInPlugin()],
  resolve: {
    alias: { $lib: new URL('./src/lib', import.meta.url).pathname },
    // Tests mount components, so they need the browser's half of Svelte.
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
  },
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // A data: URL would need `img-src data:` and `font-src data:` in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  test: { include: ['src/**/*.test.ts', 'dev/**/*.test.ts'] },
})
