import { API_ROOT, context, requestIdOf, sessionHeaders } from '$lib/api/client'
import { ApiError, messageOf } from '$lib/api/error'
import { mayActAs, type Issuer, type Role, type Session } from './types'

type State =
  | { is: 'unknown' }
  | { is: 'signed-out'; expired: boolean }
  | { is: 'signed-in'; session: Session }
  | { is: 'unreachable'; error: unknown }

let state = $state.raw<State>({ is: 'unknown' })
let organization = $state<string | null>(sessionStorage.getItem('turnpike.org'))

context.organization = organization
context.onSignedOut = () => {
  if (state.is === 'signed-in') state = { is: 'signed-out', expired: true }
}

/** Who is signed in, as the whole console sees it. */
export const session = {
  get state(): State {
    return state
  },

  /** The session; only read where someone is signed in. */
  get current(): Session {
    if (state.is !== 'signed-in') throw new Error('nobody is signed in')
    return state.session
  },

  /** The organization that a superadmin acts on, where it is not their own. */
  get organization(): string | null {
    return organization
  },

  may(role: Role): boolean {
    return state.is === 'signed-in' && mayActAs(state.session.role, role)
  },

  /** Asks the gateway who is signed in. */
  async load(): Promise<void> {
    try {
      const response = await fetch(`${API_ROOT}/auth/session`, { credentials: 'same-origin' })
      if (response.status === 401) {
        state = { is: 'signed-out', expired: false }
        return
      }
      const body: unknown = await response.json().catch(() => null)
      if (!response.ok)
        throw new ApiError(messageOf(body, response.status), response.status, requestIdOf(response))
      const found = body as Session
      context.csrfToken = found.csrf_token
      state = { is: 'signed-in', session: found }
    } catch (error) {
      state = { is: 'unreachable', error }
    }
  },

  async signOut(): Promise<void> {
    await fetch(`${API_ROOT}/auth/logout`, {
      method: 'POST',
      credentials: 'same-origin',
      headers: sessionHeaders('POST'),
    })
    context.csrfToken = null
    session.actOn(null)
    state = { is: 'signed-out', expired: false }
  },

  /** Makes a superadmin's requests about another organization, by name or id; null for their own. */
  actOn(named: string | null): void {
    organization = named
    context.organization = named
    if (named) sessionStorage.setItem('turnpike.org', named)
    else sessionStorage.removeItem('turnpike.org')
  },

  async issuers(): Promise<Issuer[]> {
    const response = await fetch(`${API_ROOT}/auth/issuers`, { credentials: 'same-origin' })
    if (!response.ok) return []
    return (await response.json()) as Issuer[]
  },
}
