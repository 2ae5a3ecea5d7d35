import { withQuery } from './match'

let path = $state(window.location.pathname)
let query = $state.raw(new URLSearchParams(window.location.search))

function read(): void {
  path = window.location.pathname
  query = new URLSearchParams(window.location.search)
}

window.addEventListener('popstate', read)

/** Where the reader is: real paths, kept by the browser's history. */
export const router = {
  get path(): string {
    return path
  },
  get query(): URLSearchParams {
    return query
  },

  go(to: string, options: { replace?: boolean } = {}): void {
    if (options.replace) history.replaceState(null, '', to)
    else history.pushState(null, '', to)
    read()
    if (!options.replace) window.scrollTo(0, 0)
  },

  /** Changes parameters of the address in place, such as a filter or the page of a list. */
  setQuery(changes: Record<string, string | null>, options: { replace?: boolean } = { replace: true }): void {
    const next = withQuery(query, changes).toString()
    const to = next ? `${path}?${next}` : path
    if (options.replace) history.replaceState(null, '', to)
    else history.pushState(null, '', to)
    read()
  },
}

/** Lets plain links move within the console; anything unusual is left to the browser. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element | null)?.closest('a')
  if (!link || link.target || link.hasAttribute('download')) return
  const url = new URL(link.href, window.location.href)
  if (url.origin !== window.location.origin || isServed(url.pathname)) return
  if (url.pathname === path && url.hash) return
  event.preventDefault()
  router.go(url.pathname + url.search)
}

/** Paths that the gateway itself answers. */
function isServed(pathname: string): boolean {
  return /^\/(api|v1|auth|healthz|readyz)(\/|$)/.test(pathname)
}
