import { api, call } from '$lib/api/client'
import type { ApiKey, ModelRoute, Provider, User } from '$lib/api/types'
import { resource, type Resource } from '$lib/data/resource.svelte'
import { groupsOf, namesById } from '$lib/people/names'
import type { ScopeNames } from './scope'

/** Everything that policies can be about, for choosing and for naming. */
export interface Directory {
  readonly users: User[]
  readonly keys: ApiKey[]
  readonly providers: Provider[]
  readonly routes: ModelRoute[]
  readonly groups: string[]
  readonly aliases: string[]
  readonly models: string[]
  readonly names: ScopeNames
  readonly source: Resource<unknown>
}

export function directory(): Directory {
  const source = resource(async (signal) => {
    const [users, keys, providers, routes] = await Promise.all([
      call(api.GET('/admin/users', { signal })),
      call(api.GET('/admin/api-keys', { signal })),
      call(api.GET('/admin/providers', { signal })),
      call(api.GET('/admin/model-mappings', { signal })),
    ])
    return { users, keys, providers, routes }
  })
  const users = $derived(source.data?.users ?? [])
  const keys = $derived(source.data?.keys ?? [])
  const providers = $derived(source.data?.providers ?? [])
  const routes = $derived(source.data?.routes ?? [])
  const names = $derived<ScopeNames>({
    users: namesById(users),
    keys: new Map(keys.map((key) => [key.id, key.name])),
    providers: new Map(providers.map((provider) => [provider.id, provider.name])),
  })
  const groups = $derived(
    [
      ...new Set([...groupsOf(users), ...keys.flatMap((key) => (key.group_name ? [key.group_name] : []))]),
    ].sort(),
  )
  const aliases = $derived([...new Set(routes.map((route) => route.model_alias))].sort())
  const models = $derived([...new Set(routes.map((route) => route.upstream_model))].sort())

  return {
    get users() {
      return users
    },
    get keys() {
      return keys
    },
    get providers() {
      return providers
    },
    get routes() {
      return routes
    },
    get groups() {
      return groups
    },
    get aliases() {
      return aliases
    },
    get models() {
      return models
    },
    get names() {
      return names
    },
    source,
  }
}
