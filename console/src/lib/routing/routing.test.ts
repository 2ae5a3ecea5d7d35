import { describe, expect, it } from 'vitest'
import type { ModelRoute, Provider } from '$lib/api/types'
import { aliasesOf, skippedBecause, tiersOf } from './alias'
import { routeEffect } from './effect'
import { entriesOf, moved, planOf, prioritiesOf } from './plan'

function route(id: string, changes: Partial<ModelRoute> = {}): ModelRoute {
  return {
    id,
    provider_id: 'p1',
    provider_name: 'openai',
    model_alias: 'assistant',
    upstream_model: `model-${id}`,
    enabled: true,
    model_enabled: true,
    bare_alias: true,
    priority: 0,
    retry_on_429_count: 0,
    retry_on_429_max_wait_secs: 0,
    request_timeout_secs: 120,
    stream_idle_timeout_secs: 180,
    max_concurrent_requests: null,
    ...changes,
  } as ModelRoute
}

const A = route('a', { priority: 0 })
const B = route('b', { priority: 1 })
const C = route('c', { priority: 1 })

describe('an alias', () => {
  it('has its routes in the order in which they are tried', () => {
    const [alias] = aliasesOf([B, A])
    expect(alias?.routes.map((each) => each.id)).toEqual(['a', 'b'])
  })

  it('has routes of equal rank beside each other', () => {
    expect(tiersOf([A, B, C]).map((tier) => tier.length)).toEqual([1, 2])
  })

  it('says why a route is passed over', () => {
    const off = { id: 'p1', enabled: false } as Provider
    expect(skippedBecause(A, new Map())).toBeNull()
    expect(skippedBecause(route('x', { enabled: false }), new Map())).toBe('Switched off')
    expect(skippedBecause(A, new Map([['p1', off]]))).toBe('Provider is off')
    expect(skippedBecause(route('x', { model_enabled: false }), new Map())).toBe('Model is off')
  })
})

describe('the editor', () => {
  it('ranks entries by their place, and as one where they are tried as one', () => {
    expect(prioritiesOf(entriesOf([A, B, C]))).toEqual([0, 1, 1])
  })

  it('moves entries, and the first stands by itself', () => {
    const entries = moved(entriesOf([A, B, C]), 2, 0)
    expect(entries.map((entry) => entry.key)).toEqual(['c', 'a', 'b'])
    expect(entries[0]?.withAbove).toBe(false)
    expect(moved(entries, 0, 9)).toBe(entries)
  })

  it('asks for nothing where nothing changed', () => {
    expect(planOf([A, B, C], 'assistant', entriesOf([A, B, C]))).toEqual({
      deletes: [],
      creates: [],
      updates: [],
      reorders: [],
    })
  })

  it('asks for a new order at once where nothing else changed', () => {
    const swapped = moved(entriesOf([A, B]), 0, 1)
    expect(planOf([A, B], 'assistant', swapped).reorders).toEqual([
      { id: 'b', priority: 0 },
      { id: 'a', priority: 1 },
    ])
  })

  it('tells new, changed and removed entries apart', () => {
    const [first] = entriesOf([A])
    if (!first) throw new Error('no entry')
    const plan = planOf([A, B], 'assistant', [
      { ...first, retries: 2 },
      { ...first, key: 'new', routeId: undefined, upstreamModel: 'other' },
    ])
    expect(plan.deletes).toEqual(['b'])
    expect(plan.updates.map((each) => [each.id, each.body.retry_on_429_count])).toEqual([['a', 2]])
    expect(plan.creates.map(({ key, body }) => [key, body.upstream_model, body.priority])).toEqual([
      ['new', 'other', 1],
    ])
  })

  it('renames every route of an alias', () => {
    const plan = planOf([A, B], 'helper', entriesOf([A, B]))
    expect(plan.updates.map((each) => each.body.model_alias)).toEqual(['helper', 'helper'])
  })
})

describe('the effect of an alias', () => {
  const name = (id: string) => (id === 'p1' ? 'openai' : id)

  it('is the way of a request', () => {
    expect(routeEffect('assistant', entriesOf([A, B]), name)).toBe(
      'Requests for assistant try model-a on openai, if that fails model-b on openai, and answer 502 if all fail. A vendor that answers 429 is left at once.',
    )
  })

  it('says where the gateway chooses, and where it asks again', () => {
    const patient = { retry_on_429_count: 2, retry_on_429_max_wait_secs: 30 }
    expect(
      routeEffect(
        'x',
        entriesOf([route('b', { priority: 1, ...patient }), route('c', { priority: 1, ...patient })]),
        name,
      ),
    ).toBe(
      'Requests for x try the healthier and cheaper of model-b on openai and model-c on openai, and answer 502 if that fails. A vendor that answers 429 is asked again up to 2 times, waiting 30 seconds at most.',
    )
  })

  it('says when only the long name can be called, or none', () => {
    expect(routeEffect('x', entriesOf([route('a', { bare_alias: false })]), name)).toBe(
      'Callers reach it as openai/x only, and such requests never fail over.',
    )
    expect(routeEffect('x', entriesOf([route('a', { enabled: false })]), name)).toBe(
      'Requests for x are refused: no entry is switched on.',
    )
  })
})
