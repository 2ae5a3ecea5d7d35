import { api, callPage } from '$lib/api/client'
import type { User } from '$lib/api/types'
import { Search } from '$lib/data/search.svelte'

/** The organization's people, searched and paged by the gateway. */
export function usersFound(): Search<User> {
  return new Search((query, signal) => callPage(api.GET('/admin/users', { params: { query }, signal })))
}
