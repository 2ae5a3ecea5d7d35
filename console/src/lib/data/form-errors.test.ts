import { expect, it } from 'vitest'
import { fieldNamed } from './form-errors'

it('finds the field that a refusal names', () => {
  expect(fieldNamed('name: must not be empty.', ['name', 'url'])).toBe('name')
  expect(fieldNamed('request_timeout_secs must be between 1 and 3600.', ['request_timeout_secs'])).toBe(
    'request_timeout_secs',
  )
})

it('finds none where the refusal is about something else', () => {
  expect(fieldNamed('A budget with this scope exists.', ['name'])).toBeNull()
  expect(fieldNamed('naming: is odd.', ['name'])).toBeNull()
})
