import { api, call } from '$lib/api/client'
import type { UsageSummaryRow } from '$lib/api/types'
import { session } from '$lib/session/session.svelte'
import { filterQuery, type Filters, type Single } from './filters'
import type { Range } from './range'

/** What the reader may see: the organization's usage, or their own. */
export function seesAll(): boolean {
  return session.may('admin')
}

function queryOf(range: Range, filters: Filters & Single) {
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

export async function records(
  range: Range,
  filters: Filters & Single,
  cursor: string | undefined,
  limit: number,
  signal: AbortSignal,
) {
  const params = { query: { ...queryOf(range, filters), limit, cursor } }
  const answer = await call(
    seesAll() ? api.GET('/admin/usage', { params, signal }) : api.GET('/user/usage', { params, signal }),
  )
  // The other form, CSV, is not asked for here.
  return typeof answer === 'string' ? { data: [] } : answer
}

/** Where the same summary is as CSV, and with which parameters. */
export function csvOf(
  range: Range,
  filters: Filters,
  groupBy: string,
): { path: string; query: URLSearchParams } {
  const path = seesAll() ? '/admin/usage/summary' : '/user/usage/summary'
  return { path, query: csvQuery({ group_by: groupBy, ...queryOf(range, filters) }) }
}

/** Where the same requests are as CSV, and with which parameters. */
export function csvOfRecords(
  range: Range,
  filters: Filters & Single,
): { path: string; query: URLSearchParams } {
  return { path: seesAll() ? '/admin/usage' : '/user/usage', query: csvQuery(queryOf(range, filters)) }
}

function csvQuery(of: Record<string, string | number>): URLSearchParams {
  const query = new URLSearchParams({ format: 'csv' })
  for (const [name, value] of Object.entries(of)) query.set(name, String(value))
  return query
}
