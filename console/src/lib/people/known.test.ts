import { describe, expect, it, vi } from 'vitest'
import { KnownNames } from './known.svelte'

/** An id as the gateway gives them out. */
function id(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
}

const [ANN, BOB, GONE] = [id(1), id(2), id(3)]

/** Names every id after itself, except the one that is gone. */
function names() {
  const asked: string[][] = []
  const known = new KnownNames((ids) => {
    asked.push(ids)
    return Promise.resolve(ids.filter((each) => each !== GONE).map((each) => [each, `name of ${each}`]))
  })
  return { asked, known }
}

describe('KnownNames', () => {
  it('asks for what is shown, together and once', async () => {
    const { asked, known } = names()
    for (const each of [ANN, BOB, ANN, GONE]) expect(known.get(each)).toBeUndefined()
    await vi.waitFor(() => expect(known.get(BOB)).toBe(`name of ${BOB}`))
    expect(known.get(GONE)).toBeUndefined()
    expect(asked).toEqual([[ANN, BOB, GONE]])
  })

  it('does not ask for what it was told', () => {
    const { asked, known } = names()
    known.tell(ANN, 'Ann')
    expect(known.get(ANN)).toBe('Ann')
    expect(asked).toEqual([])
  })

  it('asks for no more at once than the gateway answers', async () => {
    const { asked, known } = names()
    for (let n = 0; n < 230; n += 1) known.get(id(n))
    await vi.waitFor(() => expect(known.get(id(229))).toBe(`name of ${id(229)}`))
    expect(asked.map((ids) => ids.length)).toEqual([100, 100, 30])
  })

  it('asks again for what it got no answer about, once it is shown again', async () => {
    let fails = true
    const asked: string[][] = []
    const known = new KnownNames((ids) => {
      asked.push(ids)
      return fails ? Promise.reject(new Error('away')) : Promise.resolve(ids.map((each) => [each, 'there']))
    })
    known.get(ANN)
    await pause()
    await pause()
    expect(asked).toEqual([[ANN]])
    fails = false
    known.get(ANN)
    await vi.waitFor(() => expect(known.get(ANN)).toBe('there'))
    expect(asked).toEqual([[ANN], [ANN]])
  })

  it('loses nothing but the names of those that it got no answer about', async () => {
    const asked: number[] = []
    const known = new KnownNames((ids) => {
      asked.push(ids.length)
      return ids.includes(id(0))
        ? Promise.reject(new Error('away'))
        : Promise.resolve(ids.filter((each) => each !== id(101)).map((each) => [each, 'there']))
    })
    for (let n = 0; n < 102; n += 1) known.get(id(n))
    await vi.waitFor(() => expect(known.get(id(100))).toBe('there'))
    for (let n = 0; n < 102; n += 1) known.get(id(n))
    await pause()
    expect(asked).toEqual([100, 2, 100])
  })

  it('does not ask for what is no id: that would cost the others their names', async () => {
    const { asked, known } = names()
    for (const each of ['junk', '', `${ANN}0`, ANN]) known.get(each)
    await vi.waitFor(() => expect(known.get(ANN)).toBe(`name of ${ANN}`))
    expect(known.get('junk')).toBeUndefined()
    await pause()
    expect(asked).toEqual([[ANN]])
  })
})

/** As long as it takes to ask and to be answered. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
