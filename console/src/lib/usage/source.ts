import { api, call } from '$lib/api/client'
import type { UsageSummaryRow } from '$lib/api/types'
import { session } from '$lib/session/session.svelte'
import { filterQuery, type Filters } from './filters'
import type { Range } from './range'

/** What the reader may see: the organization's usage, or their own. */
export function seesAll(): boolean {
  return session.may('admin')
}

function queryOf(range: Range, filters: Filters) {
  return { from: range.from.toISOString(), to: range.to.toISOString(), ...filterQuery(filters) }
}

export async function summary(
  range: Range,
  filters: Filters,
  groupBy: string,
  signal: AbortSignal,
): Promise<UsageSummaryRow[]> {
  const params = { query: { ...queryOf(range, filters), ...(groupBy ? { group_by: groupBy } : {}) } }
  const answer = await call(
    seesAll()
      ? api.GET('/admin/usage/summary', { params, signal })
      : api.GET('/user/usage/summary', { params, signal }),
  )
  // The other form, CSV, is not asked for here.
  return typeof answer === 'string' ? [] : answer.data
}

export function records(
  range: Range,
  filters: Filters,
  cursor: string | undefined,
  limit: number,
  signal: AbortSignal,
) {
  const params = { query: { ...queryOf(range, filters), limit, cursor } }
  return call(
    seesAll() ? api.GET('/admin/usage', { params, signal }) : api.GET('/user/usage', { params, signal }),
  )
}

/** Where the same summary is as CSV, and with which parameters. */
export function csvOf(
  range: Range,
  filters: Filters,
  groupBy: string,
): { path: string; query: URLSearchParams } {
  const query = new URLSearchParams({ group_by: groupBy, format: 'csv' })
  for (const [name, value] of Object.entries(queryOf(range, filters))) query.set(name, String(value))
  return { path: seesAll() ? '/admin/usage/summary' : '/user/usage/summary', query }
}
