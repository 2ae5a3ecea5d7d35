import { asApiError, isAbort, type ApiError } from '$lib/api/error'

/** One page of a list that the gateway pages. */
export interface CursorPage<T> {
  data: T[]
  next_cursor?: string | null
  /** How many there are on all pages, where the gateway counts them. */
  total?: number | null
}

export type FetchPage<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<CursorPage<T>>

/**
 * A list that is read a page at a time: only the page that is shown is held, and the cursors of those
 * before it, so that one can go back.
 */
export class PagedList<T> {
  rows = $state.raw<T[]>([])
  total = $state.raw<number | null>(null)
  error = $state.raw<ApiError | null>(null)
  loading = $state(true)
  #cursors = $state.raw<(string | undefined)[]>([undefined])
  #next = $state.raw<string | null>(null)
  /** The page that was asked for last, whether or not it has come: what a reload asks for. */
  #wanted: (string | undefined)[] = [undefined]
  #running: AbortController | null = null

  constructor(private readonly fetchPage: FetchPage<T>) {}

  /** Counted from 1. */
  get page(): number {
    return this.#cursors.length
  }
  get hasNext(): boolean {
    return this.#next !== null
  }
  get hasPrevious(): boolean {
    return this.#cursors.length > 1
  }

  /** The first page, as after a filter changed. */
  restart(): Promise<void> {
    return this.#show([undefined])
  }

  next(): Promise<void> {
    if (this.#next === null) return Promise.resolve()
    return this.#show([...this.#cursors, this.#next])
  }

  previous(): Promise<void> {
    if (!this.hasPrevious) return Promise.resolve()
    return this.#show(this.#cursors.slice(0, -1))
  }

  reload(): Promise<void> {
    return this.#show(this.#wanted)
  }

  async #show(cursors: (string | undefined)[]): Promise<void> {
    this.#running?.abort()
    const mine = new AbortController()
    this.#running = mine
    this.#wanted = cursors
    this.loading = true
    try {
      const page = await this.fetchPage(cursors.at(-1), mine.signal)
      if (this.#running !== mine) return
      // The last entry of the last page is gone.
      if (page.data.length === 0 && cursors.length > 1) return await this.#show(cursors.slice(0, -1))
      this.rows = page.data
      this.total = page.total ?? null
      this.#next = page.next_cursor ?? null
      this.#cursors = cursors
      this.error = null
    } catch (thrown) {
      if (this.#running === mine && !isAbort(thrown)) this.error = asApiError(thrown)
    } finally {
      if (this.#running === mine) this.loading = false
    }
  }
}
