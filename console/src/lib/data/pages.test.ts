import { describe, expect, it } from 'vitest'
import { PagedList, type CursorPage } from './pages.svelte'

function listOf(pages: Record<string, CursorPage<string>>): { list: PagedList<string>; asked: string[] } {
  const asked: string[] = []
  const list = new PagedList<string>((cursor) => {
    asked.push(cursor ?? 'first')
    const page = pages[cursor ?? 'first']
    return page ? Promise.resolve(page) : Promise.reject(new Error('no such page'))
  })
  return { list, asked }
}

const THREE = {
  first: { data: ['a', 'b'], next_cursor: 'two' },
  two: { data: ['c', 'd'], next_cursor: 'three' },
  three: { data: ['e'], next_cursor: null },
}

describe('a paged list', () => {
  it('holds one page, and knows whether there is another', async () => {
    const { list } = listOf(THREE)
    await list.restart()
    expect(list.rows).toEqual(['a', 'b'])
    expect([list.hasPrevious, list.hasNext, list.page]).toEqual([false, true, 1])
  })

  it('goes on to the last page and back again', async () => {
    const { list, asked } = listOf(THREE)
    await list.restart()
    await list.next()
    await list.next()
    expect(list.rows).toEqual(['e'])
    expect(list.hasNext).toBe(false)
    await list.previous()
    expect(list.rows).toEqual(['c', 'd'])
    expect(asked).toEqual(['first', 'two', 'three', 'two'])
  })

  it('stays where it is when there is nothing further', async () => {
    const { list } = listOf({ first: { data: ['only'] } })
    await list.restart()
    await list.next()
    await list.previous()
    expect(list.rows).toEqual(['only'])
    expect(list.page).toBe(1)
  })

  it('keeps its page when the next cannot be had, and says why', async () => {
    const { list } = listOf({ first: { data: ['a'], next_cursor: 'gone' } })
    await list.restart()
    await list.next()
    expect(list.rows).toEqual(['a'])
    expect(list.page).toBe(1)
    expect(list.error?.message).toBe('no such page')
  })

  it('begins anew when its filter changed', async () => {
    const { list } = listOf(THREE)
    await list.restart()
    await list.next()
    await list.restart()
    expect(list.rows).toEqual(['a', 'b'])
    expect(list.page).toBe(1)
  })

  it('shows the page before when its last row is gone, and says how many there are', async () => {
    const pages: Record<string, CursorPage<string>> = {
      first: { data: ['a'], next_cursor: 'two', total: 2 },
      two: { data: ['b'], total: 2 },
    }
    const { list } = listOf(pages)
    await list.restart()
    await list.next()
    expect([list.rows, list.total]).toEqual([['b'], 2])
    pages.first = { data: ['a'], total: 1 }
    pages.two = { data: [], total: 1 }
    await list.reload()
    expect([list.rows, list.total, list.page, list.hasNext]).toEqual([['a'], 1, 1, false])
  })

  it('asks for the page that was wanted last, though it has not come', async () => {
    const asked: string[] = []
    let isDown = false
    const list = new PagedList<string>((cursor) => {
      asked.push(cursor ?? 'first')
      if (isDown) return Promise.reject(new Error('down'))
      return Promise.resolve(THREE[(cursor ?? 'first') as keyof typeof THREE])
    })
    await list.restart()
    await list.next()
    isDown = true
    await list.restart()
    isDown = false
    await list.reload()
    expect(asked).toEqual(['first', 'two', 'first', 'first'])
    expect([list.rows, list.page, list.error]).toEqual([['a', 'b'], 1, null])
  })
})
