import type { ApiKey } from '$lib/api/types'
import { ago, day, moment } from '$lib/format/time'

export interface KeyState {
  kind: 'ok' | 'warn' | 'bad' | 'plain'
  text: string
  detail: string
  isUsable: boolean
}

const SOON_MS = 7 * 24 * 60 * 60 * 1000

/** Whether a key works, and until when. */
export function keyState(key: ApiKey, now: Date = new Date()): KeyState {
  if (key.revoked_at) return { kind: 'plain', text: 'Revoked', detail: day(key.revoked_at), isUsable: false }
  if (!key.expires_at) return { kind: 'ok', text: 'Active', detail: 'Never expires', isUsable: true }
  const left = new Date(key.expires_at).getTime() - now.getTime()
  if (left <= 0) return { kind: 'bad', text: 'Expired', detail: day(key.expires_at), isUsable: false }
  const detail = `Expires ${ago(key.expires_at, now)}`
  return left < SOON_MS
    ? { kind: 'warn', text: 'Expires soon', detail, isUsable: true }
    : { kind: 'ok', text: 'Active', detail: `Expires ${day(key.expires_at)}`, isUsable: true }
}

export type Lifetime = 'never' | '30' | '90' | '365' | 'date'

/** The instant at which a key ends that is made now; null for never. */
export function expiryOf(lifetime: Lifetime, date: string, now: Date = new Date()): string | null {
  if (lifetime === 'never') return null
  if (lifetime === 'date') return date ? new Date(`${date}T23:59:59`).toISOString() : null
  return new Date(now.getTime() + Number(lifetime) * 24 * 60 * 60 * 1000).toISOString()
}

/** What making a key does. */
export function keyEffect(fields: {
  name: string
  owner: { is: 'me' } | { is: 'user'; name: string } | { is: 'group'; name: string } | { is: 'organization' }
  expiresAt: string | null
}): string {
  const who = {
    me: 'Whoever holds it calls models as you: your limits and budgets apply, and its usage is yours.',
    user: '',
    group: '',
    organization:
      'Whoever holds it calls models in the name of the organization; no person is charged with its usage.',
  }
  const { owner } = fields
  const whose =
    owner.is === 'user'
      ? `Whoever holds it calls models as ${owner.name}: their limits and budgets apply, and its usage is theirs.`
      : owner.is === 'group'
        ? `Whoever holds it calls models as one of the group ${owner.name}: the group's limits and budgets apply.`
        : who[owner.is]
  const until = fields.expiresAt
    ? `It stops working on ${moment(fields.expiresAt)}.`
    : 'It works until it is revoked.'
  const named = fields.name.trim()
    ? `A key named “${fields.name.trim()}” is made and shown once.`
    : 'A key is made and shown once.'
  return `${named} ${whose} ${until}`
}
