import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

/** While the console is developed, whatever is not its own is the gateway's, sign-in included. */
const gateway = process.env.TURNPIKE_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [svelte()],
  server: { proxy: { '/api': gateway, '/v1': gateway, '/auth': gateway } },
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
  test: { include: ['src/**/*.test.ts'] },
})
