import { expect, it } from 'vitest'
import type { DefaultPricing, PricingRule } from '$lib/api/types'
import { appliesToText, standingOf } from './rule'

const DEFAULT = {
  model_pattern: 'gpt-4o',
  provider_slug: 'openai',
  input_cost_per_million_tokens: 2.5,
  output_cost_per_million_tokens: 10,
} as DefaultPricing

const RULE = { ...DEFAULT, model_provider: 'openai' } as unknown as PricingRule

it('a default is new, or already there at the same or another price', () => {
  expect(standingOf(DEFAULT, [])).toBe('new')
  expect(standingOf(DEFAULT, [RULE])).toBe('same')
  expect(standingOf(DEFAULT, [{ ...RULE, output_cost_per_million_tokens: 12 }])).toBe('differs')
})

it('a rule of one provider is no copy of a default', () => {
  expect(standingOf(DEFAULT, [{ ...RULE, provider_id: 'p' }])).toBe('new')
})

it('a rule says whose models it prices', () => {
  expect(appliesToText(RULE)).toBe('OpenAI')
  expect(appliesToText({ ...RULE, model_provider: null })).toBe('Any vendor')
  expect(appliesToText({ ...RULE, provider_id: 'p', provider_name: 'openai-eu' })).toBe('openai-eu')
})
