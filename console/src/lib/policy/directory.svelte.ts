import { api, call } from '$lib/api/client'
import type { ModelRoute, Provider } from '$lib/api/types'
import { resource, type Resource } from '$lib/data/resource.svelte'
import { keyNames } from '$lib/keys/found'
import { userNames } from '$lib/people/found'
import type { KnownNames } from '$lib/people/known.svelte'
import type { ScopeNames } from './scope'

/**
 * What policies can be about, for choosing and for naming. People and keys may be many: they are looked
 * for as they are chosen, and named as they are shown.
 */
export interface Directory {
  readonly users: KnownNames
  readonly keys: KnownNames
  readonly providers: Provider[]
  readonly routes: ModelRoute[]
  readonly aliases: string[]
  readonly models: string[]
  readonly names: ScopeNames
  readonly source: Resource<unknown>
}

export function directory(): Directory {
  const users = userNames()
  const keys = keyNames('all')
  const source = resource(async (signal) => {
    const [providers, routes] = await Promise.all([
      call(api.GET('/admin/providers', { signal })),
      call(api.GET('/admin/model-mappings', { signal })),
    ])
    return { providers, routes }
  })
  const providers = $derived(source.data?.providers ?? [])
  const routes = $derived(source.data?.routes ?? [])
  const names = $derived<ScopeNames>({
    users,
    keys,
    providers: new Map(providers.map((provider) => [provider.id, provider.name])),
  })
  const aliases = $derived([...new Set(routes.map((route) => route.model_alias))].sort())
  const models = $derived([...new Set(routes.map((route) => route.upstream_model))].sort())

  return {
    users,
    keys,
    get providers() {
      return providers
    },
    get routes() {
      return routes
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
