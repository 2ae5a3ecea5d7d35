import type { ModelRoute, Provider } from '$lib/api/types'

/** What callers send as `model`, and the routes that it leads to, in the order in which they are tried. */
export interface Alias {
  /** Its own name, as lists want one. */
  id: string
  alias: string
  routes: ModelRoute[]
  /** Whether the plain name can be called, or only the one with a provider before it. */
  isBare: boolean
}

/** A 1:1 route: it enables a model on its provider, and bears its name. */
export function isModelRow(route: ModelRoute): boolean {
  return route.model_alias === route.upstream_model
}

/** By alias, in the order of their first routes. */
export function aliasesOf(routes: ModelRoute[]): Alias[] {
  const byAlias = new Map<string, ModelRoute[]>()
  for (const route of routes)
    byAlias.set(route.model_alias, [...(byAlias.get(route.model_alias) ?? []), route])
  return [...byAlias].map(([alias, all]) => ({
    id: alias,
    alias,
    routes: [...all].sort((a, b) => a.priority - b.priority),
    isBare: all.some((route) => route.bare_alias),
  }))
}

/** Routes of the same priority: among them the healthiest and cheapest goes first. */
export function tiersOf<T extends { priority: number }>(routes: T[]): T[][] {
  const tiers: T[][] = []
  for (const route of [...routes].sort((a, b) => a.priority - b.priority)) {
    const last = tiers.at(-1)
    if (last?.[0]?.priority === route.priority) last.push(route)
    else tiers.push([route])
  }
  return tiers
}

/** Why a route would be passed over just now; null where it would not. */
export function skippedBecause(route: ModelRoute, providers: Map<string, Provider>): string | null {
  const provider = providers.get(route.provider_id)
  if (!route.enabled) return 'Switched off'
  if (provider && !provider.enabled) return 'Provider is off'
  if (provider?.enforce_health_check && provider.health_status === 'unhealthy') return 'Provider is unhealthy'
  if (!route.model_enabled) return 'Model is off'
  if (route.route_health_status?.state === 'suspended') return 'Ejected for now'
  if (route.budget_status) return `Budget ${route.budget_status.budget_name} is used up`
  return null
}
