import { describe, expect, it } from 'vitest'
import { accessEffect, budgetEffect, limitEffect, smartEffect, type BudgetFields } from './effects'
import { scopeOf, scopeShort, scopeText, wireOf, type Scope, type ScopeNames } from './scope'

const NAMES: ScopeNames = {
  users: new Map([['u1', 'ada@example.com']]),
  keys: new Map([['k1', 'nightly']]),
  providers: new Map([['p1', 'openai']]),
}
const ORG: Scope = { type: 'org', id: '', value: '' }
const ADA: Scope = { type: 'user', id: 'u1', value: '' }
const TEAM: Scope = { type: 'group', id: '', value: 'research' }
const EACH: Scope = { type: 'user', id: '', value: '' }

const BUDGET: BudgetFields = {
  scope: TEAM,
  period: 'monthly',
  tokenLimit: 5_000_000,
  costLimit: 50,
  action: 'block',
  thresholds: [90, 80],
  strict: false,
  enabled: true,
  target: null,
}

describe('a scope', () => {
  it('is named as people name it', () => {
    expect(scopeText(TEAM, NAMES)).toBe('the team research together')
    expect(scopeText(EACH, NAMES)).toBe('each person on their own')
    expect(scopeText(ADA, NAMES)).toBe('ada@example.com')
    expect(scopeText({ type: 'llm_provider', id: 'p1', value: '' }, NAMES)).toBe(
      'all requests to openai together',
    )
  })

  it('is short in lists', () => {
    expect(scopeShort(ORG, NAMES)).toEqual({ kind: '', name: 'The organization' })
    expect(scopeShort(ADA, NAMES)).toEqual({ kind: 'Person', name: 'ada@example.com' })
    expect(scopeShort(EACH, NAMES)).toEqual({ kind: '', name: 'Every person, each on their own' })
  })

  it('goes to the API and comes back', () => {
    expect(wireOf(TEAM)).toEqual({ scope_type: 'group', scope_value: 'research' })
    expect(wireOf(EACH)).toEqual({ scope_type: 'user' })
    expect(wireOf({ ...ORG, value: 'left over' })).toEqual({ scope_type: 'org' })
    expect(scopeOf({ scope_type: 'team', scope_value: 'x' })).toEqual({ type: 'group', id: '', value: 'x' })
  })
})

describe('a budget', () => {
  it('says who may use how much, and what then', () => {
    expect(budgetEffect(BUDGET, NAMES)).toBe(
      'The team research together may use 5,000,000 tokens and $50.00 each month (UTC). Alerts are sent at 80 % and 90 %. When it is used up, requests are refused with 429 until the next month. Requests that are under way at that moment may exceed it.',
    )
  })

  it('that only tells serves on', () => {
    const text = budgetEffect({ ...BUDGET, action: 'warn', tokenLimit: 0, thresholds: [] }, NAMES)
    expect(text).toContain('may use $50.00 each month')
    expect(text).toContain(
      'No alert is sent before it is used up. When it is used up, an alert is sent, and requests are served on.',
    )
    expect(text).not.toContain('exceed')
  })

  it('with a target leaves other routes', () => {
    const text = budgetEffect({ ...BUDGET, target: 'requests to openai', strict: true }, NAMES)
    expect(text).toContain('counting only requests to openai.')
    expect(text).toContain('such requests take other routes')
    expect(text).toContain('It is never exceeded')
  })

  it('without a limit, or switched off, does nothing', () => {
    expect(budgetEffect({ ...BUDGET, tokenLimit: 0, costLimit: null }, NAMES)).toContain('needs a limit')
    expect(budgetEffect({ ...BUDGET, enabled: false }, NAMES)).toContain('switched off')
  })
})

describe('a rate limit', () => {
  it('says how much in any minute', () => {
    expect(limitEffect({ scope: EACH, requests: 60, tokens: 100_000, enabled: true }, NAMES)).toBe(
      'Each person on their own may use 60 requests and 100,000 tokens in any 60 seconds. What is beyond that is refused with 429, and Retry-After says when to come again.',
    )
  })

  it('of nothing refuses everything', () => {
    expect(limitEffect({ scope: ADA, requests: 0, tokens: null, enabled: true }, NAMES)).toContain(
      'no request at all',
    )
  })
})

describe('an access policy', () => {
  const targets = [
    { kind: 'model_alias' as const, alias: 'gpt-4o*' },
    { kind: 'provider' as const, provider_id: 'p1' },
  ]

  it('that allows refuses the rest', () => {
    expect(accessEffect({ scope: TEAM, type: 'allowlist', targets, enabled: true }, NAMES)).toBe(
      'The team research may use only the alias gpt-4o* and the models of openai, and what other allowlists for them list. Everything else is refused with 403 and missing in their list of models.',
    )
  })

  it('that denies comes before any allowlist', () => {
    expect(accessEffect({ scope: ORG, type: 'denylist', targets, enabled: true }, NAMES)).toBe(
      'Everyone in the organization may not use the alias gpt-4o* or the models of openai: refused with 403 and missing in their list of models, whatever an allowlist says.',
    )
  })
})

describe('a smart model', () => {
  const fields = {
    alias: 'auto',
    determiner: 'tiny',
    slots: ['small', 'large', 'long'],
    breakpoints: [128_000, 512_000],
    defaultSlot: 1,
    maxChars: 12_000,
    enabled: true,
  }

  it('says who chooses, among what, and what long requests get', () => {
    expect(smartEffect(fields)).toBe(
      'For each request for auto, tiny reads the first 12,000 characters and chooses among small, large or long. Long requests have a least choice: from 128,000 tokens large at least and from 512,000 tokens long at least. Where it fails to choose, large is taken.',
    )
  })

  it('with one slot chooses nothing', () => {
    expect(smartEffect({ ...fields, slots: ['small', ''] })).toBe('Requests for auto go to small.')
  })
})
