import { expect, it } from 'vitest'
import { patternText, priceEffect, type PriceFields } from './effect'

const PRICE: PriceFields = {
  pattern: 'gpt-4o*',
  appliesTo: { is: 'any' },
  input: 2.5,
  output: 10,
  cacheRead: null,
  cacheWrite: null,
  from: null,
  syncMode: 'pinned',
}

it('a pattern is told in words', () => {
  expect(patternText('*')).toBe('every model')
  expect(patternText('gpt-4o*')).toBe('models that begin with gpt-4o')
  expect(patternText('gpt-4o')).toBe('gpt-4o')
})

it('a price says what costs how much, and from when on', () => {
  expect(priceEffect(PRICE)).toBe(
    'From now on, a million tokens of models that begin with gpt-4o cost $2.50 as input and $10.00 as output. Requests before keep the price that they had.',
  )
  expect(
    priceEffect({
      ...PRICE,
      appliesTo: { is: 'provider', name: 'openai-eu' },
      cacheRead: 0.25,
      cacheWrite: 3,
      from: '2027-01-01T00:00:00Z',
      syncMode: 'auto',
    }),
  ).toMatch(
    /^From .+ on, a million tokens of models that begin with gpt-4o on openai-eu cost \$2\.50 as input and \$10\.00 as output, \$0\.25 read from a cache and \$3\.00 written to one\. .+ takes its price by itself\.$/,
  )
})

it('a price without its figures asks for them', () => {
  expect(priceEffect({ ...PRICE, output: null })).toContain('It needs a price')
})
