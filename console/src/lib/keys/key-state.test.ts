import { describe, expect, it } from 'vitest'
import type { ApiKey } from '$lib/api/types'
import { expiryOf, keyEffect, keyState } from './key-state'

const NOW = new Date('2026-11-21T12:00:00Z')
const KEY = { id: 'k', name: 'laptop', created_at: '2026-01-01T00:00:00Z' } as ApiKey

describe('a key', () => {
  it('works until it is revoked or ends', () => {
    expect(keyState(KEY, NOW)).toMatchObject({ text: 'Active', detail: 'Never expires', isUsable: true })
    expect(keyState({ ...KEY, revoked_at: '2026-11-01T00:00:00Z' }, NOW)).toMatchObject({
      text: 'Revoked',
      isUsable: false,
    })
    expect(keyState({ ...KEY, expires_at: '2026-11-20T00:00:00Z' }, NOW)).toMatchObject({
      text: 'Expired',
      isUsable: false,
    })
  })

  it('is told when it will end soon', () => {
    expect(keyState({ ...KEY, expires_at: '2026-11-23T12:00:00Z' }, NOW)).toMatchObject({
      text: 'Expires soon',
      detail: 'Expires in 2 days',
    })
    expect(keyState({ ...KEY, expires_at: '2027-03-01T12:00:00Z' }, NOW).text).toBe('Active')
  })
})

it('a lifetime ends as many days from now, or with a day', () => {
  expect(expiryOf('never', '', NOW)).toBeNull()
  expect(expiryOf('30', '', NOW)).toBe('2026-12-21T12:00:00.000Z')
  expect(expiryOf('date', '', NOW)).toBeNull()
  expect(expiryOf('date', '2027-01-31', NOW)).toMatch(/^2027-01-31T|^2027-02-01T/)
})

it('the effect of making a key says whose it is and how long it works', () => {
  expect(keyEffect({ name: 'laptop', owner: { is: 'me' }, expiresAt: null })).toBe(
    'A key named “laptop” is made and shown once. Whoever holds it calls models as you: your limits and budgets apply, and its usage is yours. It works until it is revoked.',
  )
  expect(keyEffect({ name: '', owner: { is: 'group', name: 'research' }, expiresAt: null })).toContain(
    'as one of the group research',
  )
  expect(
    keyEffect({ name: 'x', owner: { is: 'organization' }, expiresAt: '2027-01-31T12:00:00Z' }),
  ).toContain('It stops working on Jan 31, 2027')
})
