import type { ModelRoute } from '$lib/api/types'

/** One entry of the editor. Entries stand in their order; some share the rank of the one above. */
export interface Entry {
  /** Its own within the editor. */
  key: string
  /** Of the route that it is; absent for a new one. */
  routeId?: string
  providerId: string
  upstreamModel: string
  enabled: boolean
  bare: boolean
  /** Tried as one with the entry above: the healthier and cheaper first. */
  withAbove: boolean
  retries: number
  maxWaitSecs: number
  timeoutSecs: number | null
  idleSecs: number | null
  maxConcurrent: number | null
}

export interface RouteBody {
  provider_id: string
  model_alias: string
  upstream_model: string
  enabled: boolean
  bare_alias: boolean
  priority: number
  retry_on_429_count: number
  retry_on_429_max_wait_secs: number
  request_timeout_secs: number | null
  stream_idle_timeout_secs: number | null
  max_concurrent_requests: number | null
}

/** What has to be asked of the API, so that an alias becomes what the editor shows. */
export interface Plan {
  deletes: string[]
  /** New routes, with the entries that they are. */
  creates: { key: string; body: RouteBody }[]
  updates: { id: string; body: RouteBody }[]
  /** New orders of routes that change in nothing else: set all at once. */
  reorders: { id: string; priority: number }[]
}

export function entriesOf(routes: ModelRoute[]): Entry[] {
  return routes.map((route, index) => ({
    key: route.id,
    routeId: route.id,
    providerId: route.provider_id,
    upstreamModel: route.upstream_model,
    enabled: route.enabled,
    bare: route.bare_alias,
    withAbove: index > 0 && routes[index - 1]?.priority === route.priority,
    retries: route.retry_on_429_count,
    maxWaitSecs: route.retry_on_429_max_wait_secs,
    timeoutSecs: route.request_timeout_secs ?? null,
    idleSecs: route.stream_idle_timeout_secs ?? null,
    maxConcurrent: route.max_concurrent_requests ?? null,
  }))
}

/** The priority of each entry: its place, or that of the one above. */
export function prioritiesOf(entries: Pick<Entry, 'withAbove'>[]): number[] {
  let priority = -1
  return entries.map((entry, index) => {
    if (index === 0 || !entry.withAbove) priority += 1
    return priority
  })
}

/** `entries` with one moved to another place. The first never shares a rank with one above. */
export function moved(entries: Entry[], from: number, to: number): Entry[] {
  const entry = entries[from]
  if (!entry || to < 0 || to >= entries.length) return entries
  const rest = entries.filter((_, index) => index !== from)
  const next = [...rest.slice(0, to), entry, ...rest.slice(to)]
  return next.map((each, index) => (index === 0 && each.withAbove ? { ...each, withAbove: false } : each))
}

export function planOf(before: ModelRoute[], alias: string, entries: Entry[]): Plan {
  const priorities = prioritiesOf(entries)
  const kept = new Set(entries.map((entry) => entry.routeId))
  const plan: Plan = {
    deletes: before.filter((route) => !kept.has(route.id)).map((route) => route.id),
    creates: [],
    updates: [],
    reorders: [],
  }
  for (const [index, entry] of entries.entries()) {
    const body = bodyOf(entry, alias, priorities[index] ?? 0)
    const route = before.find((each) => each.id === entry.routeId)
    if (!route) plan.creates.push({ key: entry.key, body })
    else sortIn(plan, route, body)
  }
  return plan
}

function sortIn(plan: Plan, route: ModelRoute, body: RouteBody): void {
  const is = bodyOf(entriesOf([route])[0] as Entry, route.model_alias, route.priority)
  const changed = (Object.keys(body) as (keyof RouteBody)[]).filter((field) => is[field] !== body[field])
  if (changed.length === 0) return
  if (changed.length === 1 && changed[0] === 'priority')
    plan.reorders.push({ id: route.id, priority: body.priority })
  else plan.updates.push({ id: route.id, body })
}

function bodyOf(entry: Entry, alias: string, priority: number): RouteBody {
  return {
    provider_id: entry.providerId,
    model_alias: alias,
    upstream_model: entry.upstreamModel,
    enabled: entry.enabled,
    bare_alias: entry.bare,
    priority,
    retry_on_429_count: entry.retries,
    retry_on_429_max_wait_secs: entry.maxWaitSecs,
    request_timeout_secs: entry.timeoutSecs,
    stream_idle_timeout_secs: entry.idleSecs,
    max_concurrent_requests: entry.maxConcurrent,
  }
}
