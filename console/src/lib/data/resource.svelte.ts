import { onDestroy } from 'svelte'
import { asApiError, isAbort, type ApiError } from '$lib/api/error'

/** Something that is fetched, and fetched anew when what it was asked with changes. */
export interface Resource<T> {
  /** The newest good answer; kept while the next is on its way. */
  readonly data: T | undefined
  readonly error: ApiError | null
  readonly loading: boolean
  reload: () => Promise<void>
}

/**
 * Fetches with `load`, whose reactive reads make it run again. `everySeconds` keeps it fresh while the
 * page is looked at.
 */
export function resource<T>(
  load: (signal: AbortSignal) => Promise<T>,
  options: { everySeconds?: number } = {},
): Resource<T> {
  let data = $state.raw<T>()
  let error = $state.raw<ApiError | null>(null)
  let loading = $state(true)
  let running: AbortController | null = null

  async function run(): Promise<void> {
    running?.abort()
    const mine = new AbortController()
    running = mine
    loading = true
    try {
      const found = await load(mine.signal)
      if (running !== mine) return
      data = found
      error = null
    } catch (thrown) {
      if (running !== mine || isAbort(thrown)) return
      error = asApiError(thrown)
    } finally {
      if (running === mine) loading = false
    }
  }

  $effect(() => {
    void run()
  })
  if (options.everySeconds) keepFresh(run, options.everySeconds)
  onDestroy(() => running?.abort())

  return {
    get data() {
      return data
    },
    get error() {
      return error
    },
    get loading() {
      return loading
    },
    reload: run,
  }
}

/** Runs again and again, while the page is looked at and what asked for it is there. */
export function keepFresh(run: () => Promise<void>, seconds: number): void {
  const timer = setInterval(() => {
    if (!document.hidden) void run()
  }, seconds * 1000)
  onDestroy(() => clearInterval(timer))
}
