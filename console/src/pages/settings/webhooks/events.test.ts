import { expect, it } from 'vitest'
import { webhookEffect } from './events'

it('a webhook says when it is told, and where', () => {
  expect(
    webhookEffect({
      url: 'https://hooks.example.com/a',
      events: ['route_ejected', 'budget_exhausted'],
      enabled: true,
    }),
  ).toBe(
    'When a budget is used up or a route is passed over because it fails, a signed message is posted to https://hooks.example.com/a, and again until it is taken. A message may arrive twice.',
  )
})

it('a webhook without events, or switched off, is told nothing', () => {
  expect(webhookEffect({ url: 'x', events: [], enabled: true })).toContain('Nothing is sent')
  expect(webhookEffect({ url: 'x', events: ['route_ejected'], enabled: false })).toContain('switched off')
})
