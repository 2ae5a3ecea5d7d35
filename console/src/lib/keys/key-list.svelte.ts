import { callPage } from '$lib/api/client'
import type { ApiKey } from '$lib/api/types'
import { Search } from '$lib/data/search.svelte'

export interface KeyQuery {
  q?: string
  state?: 'active'
  limit: number
  cursor?: string
}

type Answering = Parameters<typeof callPage<ApiKey>>[0]

const PAGE = 50

/** Keys, page by page; those that do not work any more only where they are asked for. */
export class KeyList {
  readonly search: Search<ApiKey>
  #showsOld = $state(false)

  constructor(ask: (query: KeyQuery, signal: AbortSignal) => Answering) {
    this.search = new Search((text, cursor, signal) =>
      callPage(
        ask(
          {
            limit: PAGE,
            ...(text ? { q: text } : {}),
            ...(this.#showsOld ? {} : { state: 'active' }),
            ...(cursor ? { cursor } : {}),
          },
          signal,
        ),
      ),
    )
  }

  get showsOld(): boolean {
    return this.#showsOld
  }
  set showsOld(shows: boolean) {
    this.#showsOld = shows
    void this.search.list.restart()
  }

  reload(): Promise<void> {
    return this.search.list.reload()
  }
}
