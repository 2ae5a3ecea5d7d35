import { createHash, createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** The console's client at the provider. */
export const CLIENT_ID = 'console'
const AUDIENCE = 'https://turnpike.example.com'
const KEY_ID = 'one'

/** Where people sign in: an OpenID provider that says yes at once, to whoever comes. */
export interface Provider {
  /** The gateway's `auth.issuers`, in the form that its environment takes. */
  issuers: string
  stop(): Promise<void>
}

interface Wanted {
  redirectUri: string
  challenge: string
  nonce: string
}

export async function startProvider(): Promise<Provider> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const waiting = new Map<string, Wanted>()
  let issuer = ''

  const documents: Record<string, () => unknown> = {
    '/.well-known/openid-configuration': () => ({
      issuer,
      jwks_uri: `${issuer}/keys`,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
    }),
    '/keys': () => ({
      keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' }],
    }),
  }

  function authorize(query: URLSearchParams): string {
    const code = randomUUID()
    waiting.set(code, {
      redirectUri: query.get('redirect_uri') ?? '',
      challenge: query.get('code_challenge') ?? '',
      nonce: query.get('nonce') ?? '',
    })
    const back = new URL(query.get('redirect_uri') ?? '')
    back.searchParams.set('code', code)
    back.searchParams.set('state', query.get('state') ?? '')
    return back.toString()
  }

  function idToken(form: URLSearchParams): string | null {
    const code = form.get('code') ?? ''
    const wanted = waiting.get(code)
    waiting.delete(code)
    const proof = createHash('sha256').update(form.get('code_verifier') ?? '')
    if (!wanted || proof.digest('base64url') !== wanted.challenge) return null
    if (form.get('redirect_uri') !== wanted.redirectUri) return null
    const now = Math.floor(Date.now() / 1000)
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = [
      part({ alg: 'RS256', kid: KEY_ID, typ: 'JWT' }),
      part({
        iss: issuer,
        aud: CLIENT_ID,
        sub: 'olga',
        email: 'olga@example.com',
        org_id: 'default',
        roles: ['admin'],
        nonce: wanted.nonce,
        iat: now,
        exp: now + 300,
      }),
    ].join('.')
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`
  }

  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', issuer)
    const json = (status: number, body: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (url.pathname === '/authorize') {
      response.writeHead(302, { location: authorize(url.searchParams) }).end()
    } else if (url.pathname === '/token') {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const token = idToken(new URLSearchParams(body))
        if (token) json(200, { access_token: 'opaque', token_type: 'Bearer', id_token: token })
        else json(400, { error: 'invalid_grant' })
      })
    } else {
      const document = documents[url.pathname]
      json(document ? 200 : 404, document?.() ?? {})
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const entry = { issuer, audience: AUDIENCE, organizations: ['default'], client_id: CLIENT_ID }
  return {
    issuers: JSON.stringify([entry]),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
