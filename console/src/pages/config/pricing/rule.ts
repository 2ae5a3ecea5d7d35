import type { DefaultPricing, PricingRule, PricingVersion } from '$lib/api/types'
import { vendorName } from '$lib/vendor/texts'

/** Whose models a rule prices, in a word or two. */
export function appliesToText(rule: PricingVersion): string {
  if (rule.provider_id) return rule.provider_name ?? 'A provider that is gone'
  return rule.model_provider ? vendorName(rule.model_provider) : 'Any vendor'
}

export const SYNC_TEXTS = {
  pinned: 'Pinned',
  tracking: 'Follows when asked',
  auto: 'Follows by itself',
} as const

const SOURCES: Record<string, string> = {
  admin_create: 'Made',
  admin_edit: 'Changed',
  admin_schedule: 'Scheduled',
  import: 'Imported',
  sync_manual: 'Brought up to date',
  sync_auto: 'Brought up to date by itself',
  admin_archive: 'Archived',
  admin_restore: 'Restored',
}

export function sourceText(source: string): string {
  return SOURCES[source] ?? source
}

export type Standing = 'new' | 'same' | 'differs'

/** What importing a default would find: nothing, the same price, or another one. */
export function standingOf(standard: DefaultPricing, rules: PricingRule[]): Standing {
  const rule = rules.find(
    (each) =>
      each.model_pattern === standard.model_pattern &&
      !each.provider_id &&
      (each.model_provider === standard.provider_slug || each.catalog_slug === standard.provider_slug),
  )
  if (!rule) return 'new'
  const same =
    rule.input_cost_per_million_tokens === standard.input_cost_per_million_tokens &&
    rule.output_cost_per_million_tokens === standard.output_cost_per_million_tokens
  return same ? 'same' : 'differs'
}
