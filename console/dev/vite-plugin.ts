import type { Plugin } from 'vite'
import { standIn } from './stand-in.ts'

/**
 * Passes the console's requests on to a running gateway while it is developed. Set
 * `TURNPIKE_TOKEN` (of `turnpike token`), `TURNPIKE_KEY` (a `bd-` key) and, where the gateway is not at
 * its usual address, `TURNPIKE_URL`. Nothing of this is part of a build.
 */
export function standInPlugin(): Plugin {
  return {
    name: 'turnpike-stand-in',
    apply: 'serve',
    configureServer(server) {
      const token = process.env.TURNPIKE_TOKEN ?? ''
      server.middlewares.use(
        standIn({
          gateway: process.env.TURNPIKE_URL ?? 'http://127.0.0.1:8080',
          tokens: { user: token, admin: token, superadmin: token },
          apiKey: process.env.TURNPIKE_KEY ?? '',
        }),
      )
    },
  }
}
