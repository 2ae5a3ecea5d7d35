import { vitePreprocess } from '@sveltejs/vite-plugin-svelte'

/** @type {import('@sveltejs/vite-plugin-svelte').SvelteConfig} */
export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // Forms take what they edit when they open, and are made anew for each thing that is edited.
    warningFilter: (warning) => warning.code !== 'state_referenced_locally',
  },
}
