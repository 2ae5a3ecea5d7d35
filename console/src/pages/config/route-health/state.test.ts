import { expect, it } from 'vitest'
import { clock, reasonText, stateOf } from './state'

it('the worst state comes first', () => {
  const order = (['healthy', 'ejected', 'half_open'] as const).map((state) => stateOf({ state }).order)
  expect(order).toEqual([2, 0, 1])
})

it('reasons are words, also those that are new', () => {
  expect(reasonText('rolling_failures')).toBe('Too many failures')
  expect(reasonText('solar_flare')).toBe('solar flare')
  expect(reasonText(null)).toBe('A few requests try it')
})

it('a countdown is a clock', () => {
  expect([clock(42), clock(65), clock(300)]).toEqual(['42 s', '1:05', '5:00'])
})
