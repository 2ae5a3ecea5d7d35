import { PagedList, type CursorPage } from './pages.svelte'

/** What the gateway is asked for: one page of a list, searched and sorted. */
export interface ListQuery {
  limit: number
  q?: string
  /** With `-` before it, the last first. */
  sort?: string
  cursor?: string
}

export interface Sorted {
  by: string
  descending: boolean
}

export type FetchFound<T> = (query: ListQuery, signal: AbortSignal) => Promise<CursorPage<T>>

/** How long somebody who types is waited for, milliseconds. */
const PATIENCE = 250
const PAGE = 50

/** A list that the gateway searches, sorts and pages: it is asked once the reader has stopped typing. */
export class Search<T> {
  readonly list: PagedList<T>
  text = $state('')
  /** What the list was asked for: its further pages are of the same search. */
  #asked = $state('')
  #sorted = $state.raw<Sorted | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(fetchFound: FetchFound<T>) {
    this.list = new PagedList((cursor, signal) => fetchFound(this.#query(cursor), signal))
  }

  #query(cursor: string | undefined): ListQuery {
    const sorted = this.#sorted
    return {
      limit: PAGE,
      ...(this.#asked ? { q: this.#asked } : {}),
      ...(sorted ? { sort: sorted.descending ? `-${sorted.by}` : sorted.by } : {}),
      ...(cursor ? { cursor } : {}),
    }
  }

  /** What the rows were searched for; empty where they are of the whole list. */
  get asked(): string {
    return this.#asked
  }

  get sorted(): Sorted | null {
    return this.#sorted
  }

  /** Sorts by that, then the other way, then as the gateway does by itself. */
  sort(by: string): void {
    this.#sorted = nextSort(this.#sorted, by)
    void this.list.restart()
  }

  /** The first page of what is looked for, at once. */
  begin(): Promise<void> {
    clearTimeout(this.#timer)
    this.#asked = this.text.trim()
    return this.list.restart()
  }

  /** Looks for `text`, as it is typed. */
  look(text: string): void {
    this.text = text
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const asked = text.trim()
      // What failed is asked for again: nobody is to type something else first.
      if (asked === this.#asked && !this.list.error) return
      this.#asked = asked
      void this.list.restart()
    }, PATIENCE)
  }

  /** Nothing is asked for any more. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}

/** How a list is sorted after one has asked to sort it by `by`. */
export function nextSort(sorted: Sorted | null, by: string): Sorted | null {
  if (sorted?.by !== by) return { by, descending: false }
  return sorted.descending ? null : { by, descending: true }
}
