import { expect, it } from 'vitest'
import type { ApiKey } from '$lib/api/types'
import { KeyList, type KeyQuery } from './key-list.svelte'

it('keys that work are asked for, a page at a time, and the others where they are wanted', async () => {
  const asked: KeyQuery[] = []
  const keys = new KeyList((query) => {
    asked.push(query)
    const headers = new Headers(query.cursor ? [] : [['x-next-cursor', 'two']])
    const data = [{ id: query.cursor ?? 'first' } as ApiKey]
    return Promise.resolve({ data, response: new Response(null, { headers }) })
  })
  await keys.search.list.restart()
  expect(keys.search.list.hasNext).toBe(true)
  await keys.search.list.next()
  expect(keys.search.list.rows[0]?.id).toBe('two')
  expect(keys.search.list.hasNext).toBe(false)
  keys.showsOld = true
  expect(keys.showsOld).toBe(true)
  expect(asked).toEqual([
    { limit: 50, state: 'active' },
    { limit: 50, state: 'active', cursor: 'two' },
    { limit: 50 },
  ])
})
