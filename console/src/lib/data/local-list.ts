/** What a list that is held whole shows of itself: searched, sorted, one page. */
export interface View<T> {
  rows: T[]
  /** How many there are after the search, on all pages. */
  found: number
  pages: number
  /** Counted from 1, within the pages that there are. */
  page: number
}

export interface Wanted<T> {
  search: string
  textOf?: (row: T) => string
  sortBy?: (row: T) => SortKey
  descending?: boolean
  page: number
  pageSize: number
}

export type SortKey = string | number | null | undefined

export function viewOf<T>(rows: T[], wanted: Wanted<T>): View<T> {
  const found = sorted(searched(rows, wanted), wanted)
  const pages = Math.max(1, Math.ceil(found.length / wanted.pageSize))
  const page = Math.min(Math.max(1, wanted.page), pages)
  const from = (page - 1) * wanted.pageSize
  return { rows: found.slice(from, from + wanted.pageSize), found: found.length, pages, page }
}

/** Rows in which every word of the search occurs. */
function searched<T>(rows: T[], { search, textOf }: Wanted<T>): T[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (!textOf || words.length === 0) return rows
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

function sorted<T>(rows: T[], { sortBy, descending }: Wanted<T>): T[] {
  if (!sortBy) return rows
  const ordered = [...rows].sort((a, b) => compared(sortBy(a), sortBy(b), descending ?? false))
  return ordered
}

/** What is not known comes last, whichever way the list is sorted. */
function compared(a: SortKey, b: SortKey, descending: boolean): number {
  if (a === b) return 0
  if (a === null || a === undefined) return 1
  if (b === null || b === undefined) return -1
  const order =
    typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a).localeCompare(String(b), 'en', { numeric: true })
  return descending ? -order : order
}
