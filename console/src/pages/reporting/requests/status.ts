import type { UsageRecord } from '$lib/api/types'

export function statusKind(record: Pick<UsageRecord, 'status'>): 'ok' | 'warn' | 'bad' {
  if (record.status < 400) return 'ok'
  return record.status < 500 ? 'warn' : 'bad'
}

const WORDS: Record<number, string> = {
  200: 'Answered',
  400: 'Bad request',
  401: 'No valid key',
  403: 'Not allowed',
  404: 'No such model',
  408: 'Took too long',
  413: 'Too large',
  429: 'Limit reached',
  499: 'Client left',
  502: 'All routes failed',
  503: 'Not ready',
}

/** What became of a request, and its status. */
export function statusText(record: Pick<UsageRecord, 'status' | 'denied_by'>): string {
  const words = WORDS[record.status]
  return words ? `${record.status} ${words}` : String(record.status)
}

export const STATUSES = Object.entries(WORDS).map(([code, words]) => ({
  value: code,
  text: `${code} ${words}`,
}))
