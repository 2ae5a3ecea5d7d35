import { describe, expect, it } from 'vitest'
import type { UsageSummaryRow } from '$lib/api/types'
import { dimensionOf, filterQuery, filtersOf, singleOf } from './filters'
import { rangeOf } from './range'
import { errorShare, labelOf, layersOf, percentilesOf, timeOf } from './rows'

const NOW = new Date('2026-11-21T09:30:00Z')

describe('a period', () => {
  it('ends with the current day, in UTC', () => {
    const range = rangeOf('7d', NOW)
    expect([range.from.toISOString(), range.to.toISOString()]).toEqual([
      '2026-11-15T00:00:00.000Z',
      '2026-11-22T00:00:00.000Z',
    ])
    expect(range.unit).toBe('day')
  })

  it('of a day is by the hour', () => {
    const range = rangeOf('24h', NOW)
    expect([range.from.toISOString(), range.to.toISOString()]).toEqual([
      '2026-11-20T10:00:00.000Z',
      '2026-11-21T10:00:00.000Z',
    ])
    expect(range.unit).toBe('hour')
  })

  it('that nobody knows is a week', () => {
    expect(rangeOf('constructor', NOW).name).toBe('7d')
    expect(rangeOf(null, NOW).name).toBe('7d')
  })
})

describe('filters', () => {
  it('of single requests come from the address too', () => {
    expect(singleOf(new URLSearchParams('request_id=r-1&outcome=error&model=m'))).toEqual({
      request_id: 'r-1',
      outcome: 'error',
    })
    expect(singleOf(new URLSearchParams('request_id=&outcome=ok'))).toEqual({})
    expect(filterQuery({ status: '502', outcome: 'error' })).toEqual({ status: 502, outcome: 'error' })
  })

  it('come from the address, and nothing else of it', () => {
    expect(filtersOf(new URLSearchParams('model=m&user=&range=7d&status=502'))).toEqual({
      model: 'm',
      status: '502',
    })
  })

  it('go to the API as it takes them', () => {
    expect(filterQuery({ model: 'm', status: '502' })).toEqual({ model: 'm', status: 502 })
    expect(filterQuery({ status: 'x' })).toEqual({})
  })
})

describe('rows', () => {
  const row = (changes: object): UsageSummaryRow =>
    ({ requests: 1, errors: 0, total_tokens: 10, ...changes }) as UsageSummaryRow

  it('have the time of their day or hour', () => {
    expect(timeOf(row({ day: '1970-01-02' }))).toBe(86_400)
    expect(timeOf(row({ hour: '1970-01-01T01:00:00Z' }))).toBe(3600)
    expect(timeOf(row({}))).toBeNull()
  })

  it('have the label of their dimension, or none', () => {
    expect(labelOf(row({ status: 502 }), dimensionOf('status'))).toBe('502')
    expect(labelOf(row({ user: null }), dimensionOf('user'))).toBeNull()
  })

  it('become layers by name', () => {
    const rows = [
      row({ day: '1970-01-01', alias: 'a' }),
      row({ day: '1970-01-02', alias: 'b', total_tokens: 30 }),
    ]
    expect(layersOf(rows, [0, 86_400], 'tokens', (each) => each.alias ?? '')).toEqual([
      { name: 'b', values: [0, 30] },
      { name: 'a', values: [10, 0] },
    ])
  })

  it('leave out layers of nothing, if there is any other', () => {
    const rows = [
      row({ day: '1970-01-01', alias: 'a', errors: 0 }),
      row({ day: '1970-01-01', alias: 'b', errors: 2 }),
    ]
    const names = (metric: 'errors' | 'cost') =>
      layersOf(rows, [0], metric, (each) => each.alias ?? '').map((one) => one.name)
    expect(names('errors')).toEqual(['b'])
    expect(names('cost')).toHaveLength(1)
  })

  it('become lines of percentiles, with gaps where nothing happened', () => {
    const [first] = percentilesOf(
      [row({ day: '1970-01-02', latency_ms_p50: 120 })],
      [0, 86_400],
      'latency_ms',
    )
    expect(first).toEqual({ name: 'p50', values: [null, 120] })
  })

  it('have no errors where there were no requests', () => {
    expect(errorShare({ errors: 0, requests: 0 })).toBe(0)
    expect(errorShare({ errors: 1, requests: 4 })).toBe(0.25)
  })
})
