/** What a report can be divided by, and the filter that picks one part. */
export interface Dimension {
  /** As `group_by` calls it. */
  groupBy: 'upstream_model' | 'user' | 'group' | 'alias' | 'smart_model' | 'api_key' | 'provider' | 'status'
  filter: FilterName
  text: string
  /** Requests that have none. */
  none: string
  adminsOnly?: boolean
}

export type FilterName =
  'model' | 'user' | 'group' | 'alias' | 'smart_model' | 'api_key' | 'provider' | 'status'

export const DIMENSIONS: Dimension[] = [
  { groupBy: 'upstream_model', filter: 'model', text: 'Model', none: 'No model was reached' },
  { groupBy: 'user', filter: 'user', text: 'Person', none: 'No person', adminsOnly: true },
  { groupBy: 'group', filter: 'group', text: 'Team', none: 'No team', adminsOnly: true },
  { groupBy: 'alias', filter: 'alias', text: 'Route', none: 'No route' },
  { groupBy: 'smart_model', filter: 'smart_model', text: 'Smart model', none: 'No smart model' },
  { groupBy: 'api_key', filter: 'api_key', text: 'Key', none: 'No key' },
  { groupBy: 'provider', filter: 'provider', text: 'Provider', none: 'No provider was reached' },
  { groupBy: 'status', filter: 'status', text: 'Status', none: 'No status' },
]

export type Filters = Partial<Record<FilterName, string>>

const NAMES: FilterName[] = DIMENSIONS.map((dimension) => dimension.filter)

/** The filters that an address carries. */
export function filtersOf(query: URLSearchParams): Filters {
  const filters: Filters = {}
  for (const name of NAMES) {
    const value = query.get(name)
    if (value) filters[name] = value
  }
  return filters
}

/** The filters as the API takes them. */
export function filterQuery<F extends Filters>(filters: F): Omit<F, 'status'> & { status?: number } {
  const { status, ...rest } = filters
  const code = Number(status)
  return status && Number.isInteger(code) ? { ...rest, status: code } : rest
}

/** What single requests are picked by, beyond what reports are narrowed by. */
export interface Single {
  request_id?: string
  outcome?: 'error'
}

/** The same, as an address carries it. */
export function singleOf(query: URLSearchParams): Single {
  const requestId = query.get('request_id')
  return {
    ...(requestId ? { request_id: requestId } : {}),
    ...(query.get('outcome') === 'error' ? { outcome: 'error' } : {}),
  }
}

export function dimensionOf(name: string | null): Dimension {
  return DIMENSIONS.find((each) => each.groupBy === name) ?? (DIMENSIONS[0] as Dimension)
}
