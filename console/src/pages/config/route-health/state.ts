import type { RouteHealthEntry } from '$lib/api/types'

export interface RouteStateText {
  kind: 'ok' | 'warn' | 'bad'
  text: string
  /** The worst first. */
  order: number
}

export function stateOf(entry: Pick<RouteHealthEntry, 'state'>): RouteStateText {
  if (entry.state === 'ejected') return { kind: 'bad', text: 'Passed over', order: 0 }
  if (entry.state === 'half_open') return { kind: 'warn', text: 'On trial', order: 1 }
  return { kind: 'ok', text: 'Healthy', order: 2 }
}

const REASONS: Record<string, string> = {
  rolling_failures: 'Too many failures',
  rate_limited: 'The vendor’s rate limit',
}

export function reasonText(reason: string | null | undefined): string {
  return reason ? (REASONS[reason] ?? reason.replaceAll('_', ' ')) : 'A few requests try it'
}

/** `1:05`, `42 s`. */
export function clock(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
