import { describe, expect, it } from 'vitest'
import { ApiError, asApiError, isAbort, messageOf } from './error'

describe('what is said of a refusal', () => {
  it('is the gateway’s own words, as a sentence', () => {
    expect(messageOf({ error: 'BadRequest', message: 'name: must not be empty' }, 400)).toBe(
      'name: must not be empty.',
    )
    expect(
      messageOf({ error: { message: 'every route failed; see attempts', type: 'upstream_error' } }, 502),
    ).toBe('every route failed; see attempts.')
  })

  it('is something of use where it had none', () => {
    expect(messageOf(null, 502)).toContain('could not be reached')
    expect(messageOf('<html>', 418)).toBe('The gateway answered with status 418.')
    expect(messageOf({ message: '' }, 404)).toContain('no longer exists')
  })
})

describe('what is thrown', () => {
  it('stays what it is, or becomes an error that can be shown', () => {
    const error = new ApiError('x', 409, 'r1')
    expect(asApiError(error)).toBe(error)
    expect(asApiError(new TypeError('Failed to fetch')).message).toContain('cannot be reached')
    expect(asApiError('odd').message).toBe('odd')
  })

  it('because we gave up is told apart', () => {
    expect(isAbort(new DOMException('given up', 'AbortError'))).toBe(true)
    expect(isAbort(new Error('AbortError'))).toBe(false)
  })
})
