/** Whom, or what, a policy is about. */
export type ScopeType =
  'org' | 'group' | 'role' | 'user' | 'api_key' | 'llm_provider' | 'model' | 'model_alias'

/** As a form holds it: with neither an id nor a value it is about each one of its type. */
export interface Scope {
  type: ScopeType
  id: string
  value: string
}

/** As the API has it; it knows some types by other names. */
export interface WireScope {
  scope_type: string
  scope_id?: string | null
  scope_value?: string | null
}

export const SCOPES: { value: ScopeType; text: string; each: string; one: string }[] = [
  { value: 'org', text: 'The organization', each: '', one: '' },
  { value: 'group', text: 'A team', each: 'Every team, each on its own', one: 'Team' },
  { value: 'role', text: 'A role', each: 'Every role, each on its own', one: 'Role' },
  { value: 'user', text: 'A person', each: 'Every person, each on their own', one: 'Person' },
  { value: 'api_key', text: 'An API key', each: 'Every key, each on its own', one: 'Key' },
  { value: 'llm_provider', text: 'A provider', each: 'Every provider, each on its own', one: 'Provider' },
  { value: 'model', text: 'An upstream model', each: 'Every model, each on its own', one: 'Upstream model' },
  { value: 'model_alias', text: 'An alias', each: 'Every alias, each on its own', one: 'Alias' },
]

/** Scopes that are people and programs: what access policies are about. */
export const IDENTITIES: ScopeType[] = ['org', 'group', 'role', 'user', 'api_key']

/** What an id stands for, where that is known. */
interface Names {
  get: (id: string) => string | undefined
}

/** What the ids of scopes stand for. */
export interface ScopeNames {
  users: Names
  keys: Names
  providers: Names
}

export function scopeOf(wire: WireScope): Scope {
  const type = wire.scope_type === 'team' ? 'group' : (wire.scope_type as ScopeType)
  return { type, id: wire.scope_id ?? '', value: wire.scope_value ?? '' }
}

export function wireOf(scope: Scope): { scope_type: ScopeType; scope_id?: string; scope_value?: string } {
  if (scope.type === 'org') return { scope_type: 'org' }
  return {
    scope_type: scope.type,
    ...(scope.id ? { scope_id: scope.id } : {}),
    ...(scope.value.trim() ? { scope_value: scope.value.trim() } : {}),
  }
}

/** `the team research`, `each person on their own`: as part of a sentence. */
export function scopeText(scope: Scope, names: ScopeNames): string {
  const one = nameOf(scope, names)
  switch (scope.type) {
    case 'org':
      return 'the whole organization'
    case 'group':
      return one ? `the team ${one} together` : 'each team on its own'
    case 'role':
      return one ? `everyone with the role ${one} together` : 'each role on its own'
    case 'user':
      return one || 'each person on their own'
    case 'api_key':
      return one ? `the key ${one}` : 'each key on its own'
    case 'llm_provider':
      return one ? `all requests to ${one} together` : 'each provider on its own'
    case 'model':
      return one ? `all requests to the model ${one} together` : 'each upstream model on its own'
    case 'model_alias':
      return one ? `all requests for ${one} together` : 'each alias on its own'
    default:
      return `${String(scope.type).replaceAll('_', ' ')} ${one} (which never matches here)`
  }
}

/** What a list says of a scope: a name alone, or "every …". */
export function scopeShort(scope: Scope, names: ScopeNames): { kind: string; name: string } {
  const known = SCOPES.find((each) => each.value === scope.type)
  if (scope.type === 'org') return { kind: '', name: 'The organization' }
  const one = nameOf(scope, names)
  return one ? { kind: known?.one ?? scope.type, name: one } : { kind: '', name: known?.each ?? scope.type }
}

function nameOf(scope: Scope, names: ScopeNames): string {
  if (scope.value) return scope.value
  if (!scope.id) return ''
  const known = { user: names.users, api_key: names.keys, llm_provider: names.providers }[
    scope.type as string
  ]
  return known?.get(scope.id) ?? `${scope.id.slice(0, 8)}…`
}
