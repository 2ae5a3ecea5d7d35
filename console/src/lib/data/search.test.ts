import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Search } from './search.svelte'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function searched(): { search: Search<string>; asked: string[] } {
  const asked: string[] = []
  const search = new Search<string>((text, cursor) => {
    asked.push(`${text}/${cursor ?? 'first'}`)
    return Promise.resolve({ data: [text], next_cursor: cursor ? null : 'two' })
  })
  return { search, asked }
}

it('the gateway is asked once the reader has stopped typing', async () => {
  const { search, asked } = searched()
  for (const text of ['a', 'an', 'ann ']) search.look(text)
  expect(search.text).toBe('ann ')
  expect(asked).toEqual([])
  await vi.runAllTimersAsync()
  expect(asked).toEqual(['ann/first'])
  expect(search.list.rows).toEqual(['ann'])
})

it('further pages are of the search that began them', async () => {
  const { search, asked } = searched()
  await search.list.restart()
  search.look('bob')
  await search.list.next()
  await vi.runAllTimersAsync()
  expect(asked).toEqual(['/first', '/two', 'bob/first'])
  expect(search.list.page).toBe(1)
})

it('what comes to the same is not asked again, and nothing after one has left', async () => {
  const { search, asked } = searched()
  search.look('  ')
  await vi.runAllTimersAsync()
  search.look('x')
  search.stop()
  await vi.runAllTimersAsync()
  expect(asked).toEqual([])
})
