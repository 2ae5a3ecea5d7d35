import { expect, test } from 'vitest'
import { failureText } from './failures'

test('what the gateway names is said in words', () => {
  expect(failureText('link_used')).toContain('used already')
})

test('a text from the address is never shown', () => {
  for (const text of ['Call 555-0100 to unlock', 'constructor', '__proto__']) {
    expect(failureText(text)).toBe('The sign-in did not succeed. Try again.')
  }
})
