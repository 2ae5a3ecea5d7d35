import { expect, it } from 'vitest'
import { providerEffect, type ProviderFields } from './effect'

const PLAIN: ProviderFields = {
  name: 'openai-eu',
  vendor: 'OpenAI',
  credential: { is: 'own' },
  baseUrl: null,
  models: [],
  timeoutSecs: null,
  idleSecs: null,
  enforcesHealth: true,
}

it('says where requests go, and on whose account', () => {
  expect(providerEffect(PLAIN)).toBe(
    'Requests to openai-eu reach OpenAI with a credential of its own. While its health check fails, no request goes there.',
  )
  expect(
    providerEffect({ ...PLAIN, credential: { is: 'shared', name: 'team key' }, baseUrl: 'https://eu' }),
  ).toContain('reach OpenAI at https://eu with the shared credential team key.')
  expect(providerEffect({ ...PLAIN, credential: { is: 'callers' } })).toContain(
    "with each caller's own OAuth token.",
  )
})

it('says how its models are called', () => {
  expect(providerEffect({ ...PLAIN, models: ['gpt-4o'] })).toContain(
    'gpt-4o can be called at once, as openai-eu/gpt-4o.',
  )
  expect(providerEffect({ ...PLAIN, models: ['a', 'b', 'c', 'd', 'e'] })).toContain(
    'a, b, c and 2 more models can be called at once, as openai-eu/a and so on.',
  )
})

it('says its limits of time', () => {
  expect(providerEffect({ ...PLAIN, timeoutSecs: 120, idleSecs: 45, enforcesHealth: false })).toContain(
    'A whole answer may take 2 minutes and a stream may be silent for 45 seconds. A failing health check is shown',
  )
})
