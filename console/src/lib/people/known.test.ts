import { describe, expect, it, vi } from 'vitest'
import { KnownNames } from './known.svelte'

/** Names every id after itself, except those that are gone. */
function names() {
  const asked: string[][] = []
  const known = new KnownNames((ids) => {
    asked.push(ids)
    return Promise.resolve(ids.filter((id) => id !== 'gone').map((id) => [id, `name of ${id}`]))
  })
  return { asked, known }
}

describe('KnownNames', () => {
  it('asks for what is shown, together and once', async () => {
    const { asked, known } = names()
    for (const id of ['a', 'b', 'a', 'gone']) expect(known.get(id)).toBeUndefined()
    await vi.waitFor(() => expect(known.get('b')).toBe('name of b'))
    expect(known.get('gone')).toBeUndefined()
    expect(asked).toEqual([['a', 'b', 'gone']])
  })

  it('does not ask for what it was told', () => {
    const { asked, known } = names()
    known.tell('a', 'Ann')
    expect(known.get('a')).toBe('Ann')
    expect(asked).toEqual([])
  })

  it('asks for no more at once than the gateway answers', async () => {
    const { asked, known } = names()
    for (let n = 0; n < 230; n += 1) known.get(`id-${n}`)
    await vi.waitFor(() => expect(known.get('id-229')).toBe('name of id-229'))
    expect(asked.map((ids) => ids.length)).toEqual([100, 100, 30])
  })

  it('goes on after a failure', async () => {
    let fails = true
    const known = new KnownNames((ids) =>
      fails ? Promise.reject(new Error('away')) : Promise.resolve(ids.map((id) => [id, 'there'])),
    )
    known.get('a')
    await new Promise((resolve) => setTimeout(resolve, 5))
    fails = false
    known.get('b')
    await vi.waitFor(() => expect(known.get('b')).toBe('there'))
  })
})
