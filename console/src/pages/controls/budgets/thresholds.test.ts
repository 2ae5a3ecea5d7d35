import { expect, it } from 'vitest'
import { parseThresholds } from './thresholds'

it('percentages are read as people type them', () => {
  expect(parseThresholds('90, 80%')).toEqual([80, 90])
  expect(parseThresholds('50 50')).toEqual([50])
  expect(parseThresholds('')).toEqual([])
})

it('what is no percentage is refused', () => {
  expect(parseThresholds('soon')).toBeNull()
  expect(parseThresholds('101')).toBeNull()
  expect(parseThresholds('12.5')).toBeNull()
})
