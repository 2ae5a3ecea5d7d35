import type { AuditEntry } from '$lib/api/types'

export const RESOURCES: Record<string, string> = {
  connection: 'Credentials',
  provider: 'Providers',
  model_mapping: 'Model routes',
  pricing: 'Pricing',
  api_key: 'API keys',
  token_budget: 'Budgets',
  rate_limit_policy: 'Rate limits',
  model_access_policy: 'Model access',
  smart_model: 'Smart models',
  governance_config: 'Governance',
  model_catalog_entry: 'Model catalogue',
  route_health: 'Route health',
  user: 'Users',
  service_account: 'Service accounts',
  alert_webhook: 'Alert webhooks',
}

const VERBS: Record<string, string> = {
  create: 'Created',
  update: 'Changed',
  delete: 'Deleted',
  revoke: 'Revoked',
  archive: 'Archived',
  restore: 'Restored',
  reorder: 'Reordered',
  reset: 'Reset',
  import_defaults: 'Imported',
  sync_defaults: 'Brought up to date',
}

/** What was done: `provider.update` is `Changed`. */
export function verbText(action: string): string {
  const verb = action.split('.').at(-1) ?? ''
  return VERBS[verb] ?? capital(verb)
}

/** Whether something was taken away. */
export function takesAway(action: string): boolean {
  return /\.(delete|revoke|archive)$/.test(action)
}

/** The kind of thing: `token_budget` is `Budget`. */
export function thingText(resource: string): string {
  return THINGS[resource] ?? capital(resource)
}

const THINGS: Record<string, string> = {
  connection: 'Credential',
  model_mapping: 'Model route',
  pricing: 'Price',
  api_key: 'API key',
  token_budget: 'Budget',
  rate_limit_policy: 'Rate limit',
  model_access_policy: 'Access policy',
  governance_config: 'Governance',
}

function capital(name: string): string {
  const text = name.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What the thing is called, as far as the entry says it. */
export function nameIn(entry: AuditEntry): string {
  for (const state of [entry.after, entry.before]) {
    if (typeof state !== 'object' || state === null) continue
    const known = state as Record<string, unknown>
    for (const field of ['name', 'model_alias', 'model_pattern', 'email', 'subject']) {
      const value = known[field]
      if (typeof value === 'string' && value) return value
    }
  }
  return thingText(entry.resource)
}

export interface Change {
  field: string
  before: string | null
  after: string | null
}

/** The fields that differ, in the words of JSON. */
export function changesIn(entry: Pick<AuditEntry, 'before' | 'after'>): Change[] {
  const before = fieldsOf(entry.before)
  const after = fieldsOf(entry.after)
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return fields
    .map((field) => ({ field, before: textOf(before[field]), after: textOf(after[field]) }))
    .filter((change) => change.before !== change.after)
}

function fieldsOf(state: unknown): Record<string, unknown> {
  return typeof state === 'object' && state !== null ? (state as Record<string, unknown>) : {}
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}
