import type { DefaultPricing, Provider } from '$lib/api/types'

/** Models that a vendor is known to have, by the prices that the gateway ships: exact names only. */
export function suggestedModels(defaults: DefaultPricing[], slugs: (string | null | undefined)[]): string[] {
  const wanted = new Set(slugs.filter(Boolean))
  const names = defaults
    .filter((each) => wanted.has(each.provider_slug) && !each.model_pattern.includes('*'))
    .map((each) => each.model_pattern)
  return [...new Set(names)]
}

/** The names under which a provider's models may be priced. */
export function slugsOf(provider: Provider): string[] {
  return [provider.catalog_slug, provider.model_provider].filter((slug): slug is string => Boolean(slug))
}
