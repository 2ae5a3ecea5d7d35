import type { TokenBudget } from '$lib/api/types'
import type { ScopeNames } from '$lib/policy/scope'

type Targeted = Pick<TokenBudget, 'target_model_alias' | 'target_provider_id' | 'target_upstream_model'>

/** What a budget counts, as part of a sentence; null for everything. */
export function targetOf(budget: Targeted, names: ScopeNames): string | null {
  if (budget.target_model_alias) return `requests for ${budget.target_model_alias}`
  if (!budget.target_provider_id) return null
  const provider = names.providers.get(budget.target_provider_id) ?? 'a provider that is gone'
  return budget.target_upstream_model
    ? `requests to ${budget.target_upstream_model} on ${provider}`
    : `requests to ${provider}`
}
