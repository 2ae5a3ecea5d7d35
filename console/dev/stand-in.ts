import { randomBytes } from 'node:crypto'
import http from 'node:http'

/** What the stand-in needs to know of a gateway. */
export interface StandInOptions {
  /** Address of the gateway, such as `http://127.0.0.1:8080`. */
  gateway: string
  /** Tokens of `turnpike token`, by the role that signs in. */
  tokens: Record<string, string>
  /** A `bd-` key, for the runtime. */
  apiKey: string
}

type Next = () => void
export type Handler = (request: http.IncomingMessage, response: http.ServerResponse, next: Next) => void

const COOKIE = 'turnpike_stand_in'
const CSRF = randomBytes(16).toString('hex')

/**
 * Stands in for the gateway's own sign-in, for development and tests only: it answers `/auth/…`
 * itself, asks for the CSRF header, and adds credentials to everything else that it passes on.
 */
export function standIn(options: StandInOptions): Handler {
  return (request, response, next) => {
    const url = new URL(request.url ?? '/', 'http://stand-in')
    const role = roleOf(request)
    const answer = (status: number, body: unknown): void => send(response, status, body)
    switch (url.pathname) {
      case '/auth/link':
        return signIn(response, url.searchParams)
      case '/api/llm-gateway/auth/issuers':
        return answer(200, [{ name: 'the stand-in', login_url: '/auth/link?token=admin' }])
      case '/api/llm-gateway/auth/session':
        return role && options.tokens[role]
          ? answer(200, sessionOf(role, options.tokens[role]))
          : answer(401, REFUSED)
      case '/api/llm-gateway/auth/logout':
        response.setHeader('set-cookie', `${COOKIE}=; Path=/; HttpOnly; Max-Age=0`)
        return answer(200, { ok: true })
    }
    if (!/^\/(api\/llm-gateway|v1)\//.test(url.pathname)) return next()
    const token = role && options.tokens[role]
    if (!token) return answer(401, REFUSED)
    if (request.method !== 'GET' && request.headers['x-turnpike-csrf'] !== CSRF) {
      return answer(403, { error: 'Forbidden', message: 'the header x-turnpike-csrf is missing or wrong' })
    }
    const isRuntime = /^\/(api\/llm-gateway\/)?v1\//.test(url.pathname)
    forward(options.gateway, request, response, isRuntime ? options.apiKey : token)
  }
}

const REFUSED = { error: 'Unauthorized', message: 'sign in first' }

function roleOf(request: http.IncomingMessage): string | null {
  return new RegExp(`${COOKIE}=([a-z]+)`).exec(request.headers.cookie ?? '')?.[1] ?? null
}

function signIn(response: http.ServerResponse, query: URLSearchParams): void {
  const wanted = query.get('return_to') ?? '/'
  // Only ever back to the console itself.
  const location = /^\/(?![/\\])/.test(wanted) ? wanted : '/'
  response.setHeader(
    'set-cookie',
    `${COOKIE}=${query.get('token') ?? 'admin'}; Path=/; HttpOnly; SameSite=Lax`,
  )
  response.writeHead(303, { location }).end()
}

/** The session of the person whom `token` names. */
function sessionOf(role: string, token: string): unknown {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >
  const subject = String(claims.sub ?? role)
  return {
    user: {
      id: '00000000-0000-4000-8000-000000000000',
      subject,
      email: subject.includes('@') ? subject : null,
    },
    org: { id: String(claims.org ?? ''), name: 'default' },
    role,
    csrf_token: CSRF,
    expires_at: new Date(Number(claims.exp ?? 0) * 1000).toISOString(),
  }
}

function send(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

function forward(
  gateway: string,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  bearer: string,
): void {
  const headers = { ...request.headers, authorization: `Bearer ${bearer}` }
  delete headers.cookie
  delete headers.host
  const upstream = http.request(
    new URL(request.url ?? '/', gateway),
    { method: request.method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    },
  )
  upstream.on('error', () => {
    if (response.headersSent) response.destroy()
    else send(response, 502, { error: 'BadGateway', message: 'the gateway is not running' })
  })
  response.on('close', () => upstream.destroy())
  request.pipe(upstream)
}
