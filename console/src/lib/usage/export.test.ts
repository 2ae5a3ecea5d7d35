import { expect, it } from 'vitest'
import { isCut } from './export'

it('an export that is as long as one can be may have been cut', () => {
  expect(isCut('id\r\na\r\n', 2)).toBe(false)
  expect(isCut('id\r\na\r\nb\r\n', 2)).toBe(true)
  expect(isCut('')).toBe(false)
})
