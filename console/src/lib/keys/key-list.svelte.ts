import { callPage } from '$lib/api/client'
import type { ApiKey } from '$lib/api/types'
import { Search, type ListQuery } from '$lib/data/search.svelte'

export interface KeyQuery extends ListQuery {
  state?: 'active'
}

type Answering = Parameters<typeof callPage<ApiKey>>[0]

/** Keys, page by page; those that do not work any more only where they are asked for. */
export class KeyList {
  readonly search: Search<ApiKey>
  #showsOld = $state(false)

  constructor(ask: (query: KeyQuery, signal: AbortSignal) => Answering) {
    this.search = new Search((query, signal) =>
      callPage(ask(this.#showsOld ? query : { ...query, state: 'active' }, signal)),
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
