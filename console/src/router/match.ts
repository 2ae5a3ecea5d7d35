/** What the parts of a path that stand for something were: `/a/:id` on `/a/7` is `{ id: '7' }`. */
export type Params = Record<string, string>

/** The parameters of `path` if it is one of `pattern`, else null. */
export function matchPath(pattern: string, path: string): Params | null {
  const wanted = segments(pattern)
  const given = segments(path)
  if (wanted.length !== given.length) return null
  const params: Params = {}
  for (const [index, want] of wanted.entries()) {
    const have = given[index] ?? ''
    if (want.startsWith(':')) params[want.slice(1)] = decoded(have)
    else if (want !== have) return null
  }
  return params
}

function segments(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** `query` with `changes` made; null and the empty string take a parameter away. */
export function withQuery(query: URLSearchParams, changes: Record<string, string | null>): URLSearchParams {
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name)
    else next.set(name, value)
  }
  return next
}
