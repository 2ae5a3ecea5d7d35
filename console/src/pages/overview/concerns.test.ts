import { expect, it } from 'vitest'
import type { Provider, RouteHealthEntry, TokenBudgetStatus } from '$lib/api/types'
import { concernsOf } from './concerns'

const provider = (name: string, health: string, enabled = true) =>
  ({ name, health_status: health, enabled }) as Provider
const budget = (name: string, percent: number) =>
  ({
    budget: { name, enabled: true },
    percentage_used: percent,
    cost_percentage_used: 0,
  }) as TokenBudgetStatus

it('where all is well there is nothing to say', () => {
  expect(
    concernsOf([provider('a', 'healthy')], [{ state: 'healthy' } as RouteHealthEntry], [budget('b', 10)]),
  ).toEqual([])
})

it('what fails is named, and what is switched off is not', () => {
  const concerns = concernsOf(
    [provider('openai', 'unhealthy'), provider('off', 'unhealthy', false)],
    [{ state: 'ejected' } as RouteHealthEntry, { state: 'ejected' } as RouteHealthEntry],
    [budget('monthly', 100), budget('daily', 85)],
  )
  expect(concerns.map((concern) => concern.text)).toEqual([
    'openai fails its health check.',
    '2 routes are passed over for now.',
    '1 budget is used up: monthly.',
    '1 budget is nearly used up: daily.',
  ])
})
