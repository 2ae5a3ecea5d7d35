import { count, listed } from '$lib/format/numbers'
import { money } from '$lib/format/money'
import { scopeText, type Scope, type ScopeNames } from './scope'

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export type Period = 'daily' | 'weekly' | 'monthly' | 'quarterly' | 'yearly'
export type OnExhaust = 'block' | 'warn' | 'throttle' | 'alert'

export const PERIODS: { value: Period; text: string; each: string; next: string }[] = [
  { value: 'daily', text: 'Daily', each: 'each day', next: 'the next day' },
  { value: 'weekly', text: 'Weekly', each: 'each week', next: 'the next Monday' },
  { value: 'monthly', text: 'Monthly', each: 'each month', next: 'the next month' },
  { value: 'quarterly', text: 'Quarterly', each: 'each quarter', next: 'the next quarter' },
  { value: 'yearly', text: 'Yearly', each: 'each year', next: 'the next year' },
]

export interface BudgetFields {
  scope: Scope
  period: Period
  tokenLimit: number
  costLimit: number | null
  action: OnExhaust
  thresholds: number[]
  strict: boolean
  enabled: boolean
  /** What it counts, such as "requests for assistant"; null for everything. */
  target: string | null
}

/** What a budget does. */
export function budgetEffect(fields: BudgetFields, names: ScopeNames): string {
  if (!fields.enabled) return 'It is switched off: nothing is counted against it, and nobody is held to it.'
  const period = PERIODS.find((each) => each.value === fields.period) ?? PERIODS[2]
  const limits = limitsOf(fields)
  if (limits.length === 0) return 'It needs a limit: of tokens, of money, or of both.'
  const target = fields.target ? `, counting only ${fields.target}` : ''
  const use = `${capital(scopeText(fields.scope, names))} may use ${listed(limits)} ${period?.each} (UTC)${target}.`
  return [use, alertsOf(fields.thresholds), endOf(fields, period?.next ?? ''), strictText(fields)]
    .filter(Boolean)
    .join(' ')
}

function limitsOf({ tokenLimit, costLimit }: BudgetFields): string[] {
  const limits: string[] = []
  if (tokenLimit > 0) limits.push(`${count(tokenLimit)} tokens`)
  if (costLimit !== null) limits.push(money(costLimit))
  return limits
}

function alertsOf(thresholds: number[]): string {
  if (thresholds.length === 0) return 'No alert is sent before it is used up.'
  return `Alerts are sent at ${listed([...thresholds].sort((a, b) => a - b).map((each) => `${each} %`))}.`
}

function endOf({ action, target }: BudgetFields, next: string): string {
  if (action === 'block') {
    const refused = target
      ? 'such requests take other routes, or are refused with 429 where there are none'
      : 'requests are refused with 429'
    return `When it is used up, ${refused} until ${next}.`
  }
  if (action === 'throttle')
    return 'When it is used up, an alert is sent, and requests are served on and marked in the usage records.'
  return 'When it is used up, an alert is sent, and requests are served on.'
}

function strictText({ action, strict }: BudgetFields): string {
  if (action !== 'block') return ''
  return strict
    ? 'It is never exceeded: each request reserves the most that it can use.'
    : 'Requests that are under way at that moment may exceed it.'
}

export interface LimitFields {
  scope: Scope
  requests: number | null
  tokens: number | null
  enabled: boolean
}

/** What a rate limit does. */
export function limitEffect({ scope, requests, tokens, enabled }: LimitFields, names: ScopeNames): string {
  if (!enabled) return 'It is switched off: nobody is held to it.'
  const limits: string[] = []
  if (requests !== null)
    limits.push(
      requests === 0 ? 'no request at all' : `${count(requests)} ${requests === 1 ? 'request' : 'requests'}`,
    )
  if (tokens !== null) limits.push(tokens === 0 ? 'no token at all' : `${count(tokens)} tokens`)
  if (limits.length === 0) return 'It needs a limit: of requests, of tokens, or of both.'
  const who = capital(scopeText(scope, names))
  return `${who} may use ${listed(limits)} in any 60 seconds. What is beyond that is refused with 429, and Retry-After says when to come again.`
}

export type Target =
  | { kind: 'model_alias'; alias: string }
  | { kind: 'model'; model: string }
  | { kind: 'provider'; provider_id: string }
  | { kind: 'provider_model'; provider_id: string; model: string }

export interface AccessFields {
  scope: Scope
  type: 'allowlist' | 'denylist'
  targets: Target[]
  enabled: boolean
}

/** What an access policy does. */
export function accessEffect({ scope, type, targets, enabled }: AccessFields, names: ScopeNames): string {
  if (!enabled) return 'It is switched off: it neither grants nor refuses anything.'
  if (targets.length === 0) return 'It needs a target: what it is to allow, or to refuse.'
  const who = capital(whoHas(scope, names))
  const what = listed(
    targets.map((target) => targetText(target, names)),
    type === 'allowlist' ? 'and' : 'or',
  )
  return type === 'allowlist'
    ? `${who} may use only ${what}, and what other allowlists for them list. Everything else is refused with 403 and missing in their list of models.`
    : `${who} may not use ${what}: refused with 403 and missing in their list of models, whatever an allowlist says.`
}

function whoHas(scope: Scope, names: ScopeNames): string {
  return scopeText(scope, names)
    .replace(/ together$/, '')
    .replace('the whole organization', 'everyone in the organization')
    .replace(/^each (\w+) on (its|their) own$/, 'every $1')
}

export function targetText(target: Target, names: ScopeNames): string {
  const provider = (id: string): string => names.providers.get(id) ?? 'a provider that is gone'
  switch (target.kind) {
    case 'model_alias':
      return `the alias ${target.alias || '…'}`
    case 'model':
      return `the upstream model ${target.model || '…'}`
    case 'provider':
      return `the models of ${provider(target.provider_id)}`
    case 'provider_model':
      return `${target.model || '…'} on ${provider(target.provider_id)}`
  }
}

export interface SmartFields {
  alias: string
  determiner: string
  slots: string[]
  breakpoints: number[]
  defaultSlot: number
  maxChars: number
  enabled: boolean
}

/** What a smart model does. */
export function smartEffect(fields: SmartFields): string {
  const name = fields.alias.trim() || 'this name'
  if (!fields.enabled) return `It is switched off: requests for ${name} are refused with 400.`
  const slots = fields.slots.filter((slot) => slot.trim())
  if (slots.length === 0) return 'It needs a slot: an alias to lead to.'
  if (slots.length === 1) return `Requests for ${name} go to ${slots[0]}.`
  const floors = fields.breakpoints
    .slice(0, slots.length - 1)
    .map((tokens, index) => `from ${count(tokens)} tokens ${slots[index + 1]} at least`)
  const determiner = fields.determiner.trim() || 'The determiner'
  const chosen = `For each request for ${name}, ${determiner} reads the first ${count(fields.maxChars)} characters and chooses among ${listed(slots, 'or')}.`
  const long = floors.length > 0 ? ` Long requests have a least choice: ${listed(floors)}.` : ''
  return `${chosen}${long} Where it fails to choose, ${slots[fields.defaultSlot] ?? slots[0]} is taken.`
}
