import { keyNames } from '$lib/keys/found'
import { userNames } from '$lib/people/found'
import type { Dimension, FilterName } from './filters'
import { seesAll } from './source'

/** Names for the ids that usage is about: people and keys. */
export function usageNames() {
  const users = seesAll() ? userNames() : null
  const keys = keyNames(seesAll() ? 'all' : 'own')

  return {
    users,
    keys,
    /** What people call the part of a report that has `value`. */
    of(filter: FilterName, value: string): string {
      if (filter === 'user') return users?.get(value) ?? `${value.slice(0, 8)}…`
      if (filter === 'api_key') return keys.get(value) ?? `${value.slice(0, 8)}…`
      return value
    },
    ofLabel(dimension: Dimension, label: string | null): string {
      return label === null ? dimension.none : this.of(dimension.filter, label)
    },
  }
}
