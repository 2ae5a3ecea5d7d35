import { describe, expect, it } from 'vitest'
import { matchPath, withQuery } from './match'

describe('a path', () => {
  it('matches its own pattern, with or without a slash at the end', () => {
    expect(matchPath('/reporting/usage', '/reporting/usage')).toEqual({})
    expect(matchPath('/reporting/usage', '/reporting/usage/')).toEqual({})
  })

  it('does not match a longer or a shorter one', () => {
    expect(matchPath('/reporting', '/reporting/usage')).toBeNull()
    expect(matchPath('/reporting/usage', '/reporting')).toBeNull()
  })

  it('gives the parts that stand for something, decoded', () => {
    expect(matchPath('/routes/:alias', '/routes/gpt%2F4o')).toEqual({ alias: 'gpt/4o' })
  })

  it('is taken as it stands where its escapes are broken', () => {
    expect(matchPath('/routes/:alias', '/routes/50%')).toEqual({ alias: '50%' })
  })
})

describe('parameters of the address', () => {
  it('are set, replaced and taken away, the others kept', () => {
    const next = withQuery(new URLSearchParams('a=1&b=2&c=3'), { a: '9', b: null, c: '', d: '4' })
    expect(next.toString()).toBe('a=9&d=4')
  })
})
