const TEXTS: Record<string, string> = {
  org_instance: 'Priced by a rule for this provider',
  org_catalog: 'Priced by a rule for this vendor',
  org_generic: 'Priced by a rule for the organization',
  barndoor_default: 'Priced by the managed defaults',
  not_metered: 'Not metered',
  none: 'No price is known',
}

/** Which tier priced something, in words. */
export function priceSourceText(source: string | null | undefined): string {
  return TEXTS[source ?? 'none'] ?? 'No price is known'
}
