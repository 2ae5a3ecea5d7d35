import { PagedList, type CursorPage } from './pages.svelte'

export type FetchFound<T> = (
  text: string,
  cursor: string | undefined,
  signal: AbortSignal,
) => Promise<CursorPage<T>>

/** How long somebody who types is waited for, milliseconds. */
const PATIENCE = 250

/** A list that the gateway searches and pages: it is asked once the reader has stopped typing. */
export class Search<T> {
  readonly list: PagedList<T>
  text = $state('')
  /** What the list was asked for: its further pages are of the same search. */
  #asked = $state('')
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(fetchFound: FetchFound<T>) {
    this.list = new PagedList((cursor, signal) => fetchFound(this.#asked, cursor, signal))
  }

  /** What the rows were searched for; empty where they are of the whole list. */
  get asked(): string {
    return this.#asked
  }

  /** Looks for `text`, as it is typed. */
  look(text: string): void {
    this.text = text
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const asked = text.trim()
      if (asked === this.#asked) return
      this.#asked = asked
      void this.list.restart()
    }, PATIENCE)
  }

  /** Nothing is asked for any more. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}
