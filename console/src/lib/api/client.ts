import createClient, { type Middleware } from 'openapi-fetch'
import type { CursorPage } from '$lib/data/pages.svelte'
import { ApiError, messageOf } from './error'
import type { paths } from './schema'

export const API_ROOT = '/api/llm-gateway'

/** What every request carries, and whom to tell that the session is over. Set by the session. */
export const context: {
  csrfToken: string | null
  organization: string | null
  onSignedOut: () => void
} = { csrfToken: null, organization: null, onSignedOut: () => undefined }

/** The headers that the session adds to a request of `method`. */
export function sessionHeaders(method: string): Record<string, string> {
  const headers: Record<string, string> = {}
  if (context.csrfToken && method !== 'GET' && method !== 'HEAD')
    headers['x-turnpike-csrf'] = context.csrfToken
  if (context.organization) headers['x-turnpike-org'] = context.organization
  return headers
}

const session: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(sessionHeaders(request.method)))
      request.headers.set(name, value)
    return request
  },
  onResponse({ response }) {
    if (response.status === 401) context.onSignedOut()
    return undefined
  },
}

/** The gateway's API, typed by its own description. */
export const api = createClient<paths>({ baseUrl: API_ROOT, credentials: 'same-origin' })
api.use(session)

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** The body of a good answer; anything else is thrown as an [`ApiError`]. */
export async function call<T>(answering: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answering
  if (!response.ok)
    throw new ApiError(messageOf(error, response.status), response.status, requestIdOf(response))
  return data as T
}

/** A page of a list that is answered as an array: a header says where the next begins. */
export async function callPage<T>(answering: Promise<Answer<T[]>>): Promise<CursorPage<T>> {
  const answer = await answering
  const data = await call(Promise.resolve(answer))
  const { headers } = answer.response
  const total = headers.get('x-total-count')
  return { data, next_cursor: headers.get('x-next-cursor'), total: total === null ? null : Number(total) }
}

export function requestIdOf(response: Response): string | null {
  return response.headers.get('x-request-id')
}

/** A document of the API that is no JSON, such as CSV. */
export async function download(path: string, query: URLSearchParams): Promise<Blob> {
  const response = await fetch(`${API_ROOT}${path}?${query}`, {
    credentials: 'same-origin',
    headers: sessionHeaders('GET'),
  })
  if (response.status === 401) context.onSignedOut()
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null)
    throw new ApiError(messageOf(body, response.status), response.status, requestIdOf(response))
  }
  return response.blob()
}
