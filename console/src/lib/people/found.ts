import { api, callPage } from '$lib/api/client'
import type { User } from '$lib/api/types'
import { Search } from '$lib/data/search.svelte'

const PAGE = 50

/** The organization's people, searched and paged by the gateway. */
export function usersFound(): Search<User> {
  return new Search((text, cursor, signal) => {
    const query = { limit: PAGE, ...(text ? { q: text } : {}), ...(cursor ? { cursor } : {}) }
    return callPage(api.GET('/admin/users', { params: { query }, signal }))
  })
}
