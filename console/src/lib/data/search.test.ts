import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { nextSort, Search } from './search.svelte'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function searched(): { search: Search<string>; asked: string[] } {
  const asked: string[] = []
  const search = new Search<string>(({ q = '', sort, cursor }) => {
    asked.push(`${q}/${cursor ?? 'first'}${sort ? ` by ${sort}` : ''}`)
    return Promise.resolve({ data: [q], next_cursor: cursor ? null : 'two' })
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

it('the gateway sorts the whole list, and each page is of that order', async () => {
  const { search, asked } = searched()
  search.sort('name')
  await vi.runAllTimersAsync()
  search.sort('name')
  await vi.runAllTimersAsync()
  await search.list.next()
  expect(asked).toEqual(['/first by name', '/first by -name', '/two by -name'])
})

it('a third time, a list is in its own order again', () => {
  const up = nextSort(null, 'name')
  const down = nextSort(up, 'name')
  expect([up, down, nextSort(down, 'name')]).toEqual([
    { by: 'name', descending: false },
    { by: 'name', descending: true },
    null,
  ])
  expect(nextSort(down, 'cost')).toEqual({ by: 'cost', descending: false })
})

it('what is typed is looked for at once where a list begins', async () => {
  const { search, asked } = searched()
  search.look('ann')
  await search.begin()
  await vi.runAllTimersAsync()
  expect(asked).toEqual(['ann/first'])
})

it('what failed is asked for again as it is typed again', async () => {
  let fails = true
  const asked: string[] = []
  const search = new Search<string>(({ q = '' }) => {
    asked.push(q)
    return fails ? Promise.reject(new Error('away')) : Promise.resolve({ data: [q] })
  })
  search.look('ann')
  await vi.runAllTimersAsync()
  expect(search.list.error).not.toBeNull()
  fails = false
  search.look('ann')
  await vi.runAllTimersAsync()
  expect(search.list.error).toBeNull()
  expect(search.list.rows).toEqual(['ann'])
  search.look('ann')
  await vi.runAllTimersAsync()
  expect(asked).toEqual(['ann', 'ann'])
})
