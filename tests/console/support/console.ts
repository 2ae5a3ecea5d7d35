import { readFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { standIn } from '../../../console/dev/stand-in.ts'
import type { Gateway } from './gateway.ts'

const DIST = process.env.CONSOLE_DIST ?? path.resolve(import.meta.dirname, '../../../console/dist')
const CSP = "default-src 'self'; frame-ancestors 'none'"

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Where the console is served, and how someone signs in to it. */
export interface Console {
  address: string
  /** A page whose opening signs in as `role`. */
  linkFor(role: string): string
  stop(): Promise<void>
}

/** The built console as the gateway serves it, with a sign-in that stands in for the gateway's own. */
export async function serveConsole(gateway: Gateway): Promise<Console> {
  const handle = standIn({
    gateway: gateway.address,
    apiKey: gateway.apiKey,
    tokens: {
      user: gateway.token('user'),
      admin: gateway.token('admin'),
      superadmin: gateway.token('superadmin'),
    },
  })
  const server = http.createServer((request, response) =>
    handle(request, response, () => void serve(request, response)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    address,
    linkFor: (role) => `${address}/auth/link?token=${role}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const asked = new URL(request.url ?? '/', 'http://console').pathname
  const isAsset = asked.startsWith('/assets/')
  const file = path.join(DIST, isAsset ? path.normalize(asked) : 'index.html')
  response.setHeader('content-security-policy', CSP)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache')
  try {
    const body = await readFile(file)
    response
      .writeHead(200, {
        'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      })
      .end(body)
  } catch {
    response.writeHead(404).end()
  }
}
