/** What a signed-in person may do; each role may do what the ones before it may. */
export type Role = 'user' | 'admin' | 'superadmin'

/** `GET /auth/session`. */
export interface Session {
  user: { id: string; subject: string; email: string | null }
  org: { id: string; name: string }
  role: Role
  csrf_token: string
  expires_at: string
  /** Where clients reach the runtime, without `/v1`; absent where that is this very address. */
  gateway_url?: string | null
}

/** One of `GET /auth/issuers`: a way to sign in. */
export interface Issuer {
  name: string
  login_url: string
}

const RANK: Record<Role, number> = { user: 0, admin: 1, superadmin: 2 }

export function mayActAs(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed]
}
