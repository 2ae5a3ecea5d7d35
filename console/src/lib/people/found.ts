import { api, call, callPage } from '$lib/api/client'
import type { User } from '$lib/api/types'
import { Search } from '$lib/data/search.svelte'
import { KnownNames } from './known.svelte'
import { userName } from './names'

/** The organization's people, searched and paged by the gateway. */
export function usersFound(): Search<User> {
  return new Search((query, signal) => callPage(api.GET('/admin/users', { params: { query }, signal })))
}

/** What people are called whose ids are shown. */
export function userNames(): KnownNames {
  return new KnownNames(async (ids) => {
    const users = await call(api.GET('/admin/users', { params: { query: { id: ids.join(',') } } }))
    return users.map((user) => [user.id, userName(user)])
  })
}
