import { api, call } from '$lib/api/client'
import { resource } from '$lib/data/resource.svelte'
import { namesById } from '$lib/people/names'
import type { Dimension, FilterName } from './filters'
import { seesAll } from './source'

/** Names for the ids that usage is about: people and keys. */
export function usageNames() {
  const found = resource(async (signal) => {
    if (!seesAll()) return { users: undefined, keys: await call(api.GET('/user/api-keys', { signal })) }
    const [users, keys] = await Promise.all([
      call(api.GET('/admin/users', { signal })),
      call(api.GET('/admin/api-keys', { signal })),
    ])
    return { users, keys }
  })
  const users = $derived(namesById(found.data?.users))
  const keys = $derived(new Map(found.data?.keys.map((key) => [key.id, key.name])))

  return {
    get people() {
      return [...users]
    },
    get keys() {
      return [...keys]
    },
    /** What people call the part of a report that has `value`. */
    of(filter: FilterName, value: string): string {
      if (filter === 'user') return users.get(value) ?? `${value.slice(0, 8)}…`
      if (filter === 'api_key') return keys.get(value) ?? `${value.slice(0, 8)}…`
      return value
    },
    ofLabel(dimension: Dimension, label: string | null): string {
      return label === null ? dimension.none : this.of(dimension.filter, label)
    },
  }
}
