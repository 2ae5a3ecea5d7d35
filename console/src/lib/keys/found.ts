import { api, call, callPage } from '$lib/api/client'
import type { ApiKey } from '$lib/api/types'
import { Search } from '$lib/data/search.svelte'
import { KnownNames } from '$lib/people/known.svelte'

/** Whose keys: the organization's, or the reader's own. */
export type Whose = 'all' | 'own'

/** Keys, searched and paged by the gateway; with `state`, those that work alone. */
export function keysFound(whose: Whose, state?: 'active'): Search<ApiKey> {
  return new Search((asked, signal) => {
    const params = { query: state ? { ...asked, state } : asked }
    return callPage(
      whose === 'all'
        ? api.GET('/admin/api-keys', { params, signal })
        : api.GET('/user/api-keys', { params, signal }),
    )
  })
}

/** What keys are called whose ids are shown. */
export function keyNames(whose: Whose): KnownNames {
  return new KnownNames(async (ids) => {
    const params = { query: { id: ids.join(',') } }
    const keys = await call(
      whose === 'all' ? api.GET('/admin/api-keys', { params }) : api.GET('/user/api-keys', { params }),
    )
    return keys.map((key) => [key.id, key.name])
  })
}

/** A key among others: names need not be one key's alone. */
export function keyText(key: Pick<ApiKey, 'name' | 'key_prefix'>): string {
  return `${key.name} (${key.key_prefix}…)`
}
