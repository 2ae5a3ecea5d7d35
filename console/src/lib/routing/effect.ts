import { counted, listed } from '$lib/format/numbers'
import { secondsInWords } from '$lib/format/time'
import { prioritiesOf, type Entry } from './plan'

/** What a request for an alias goes through, in words. */
export function routeEffect(alias: string, entries: Entry[], providerName: (id: string) => string): string {
  const name = alias.trim() || 'this alias'
  const used = entries.filter((entry) => entry.enabled && entry.providerId && entry.upstreamModel)
  if (used.length === 0) return `Requests for ${name} are refused: no entry is switched on.`
  const bare = used.filter((entry) => entry.bare)
  if (bare.length === 0) return pinnedOnly(name, used, providerName)
  const tiers = tiersIn(bare).map((tier) => tierText(tier, providerName))
  const path = tiers.map((text, index) => (index === 0 ? `try ${text}` : `if that fails ${text}`)).join(', ')
  const end = tiers.length > 1 ? 'and answer 502 if all fail' : 'and answer 502 if that fails'
  return `Requests for ${name} ${path}, ${end}.${retryText(bare)}`
}

function pinnedOnly(name: string, used: Entry[], providerName: (id: string) => string): string {
  const forms = [...new Set(used.map((entry) => `${providerName(entry.providerId)}/${name}`))]
  return `Callers reach it as ${listed(forms, 'or')} only, and such requests never fail over.`
}

function tiersIn(entries: Entry[]): Entry[][] {
  const priorities = prioritiesOf(entries)
  const tiers: Entry[][] = []
  for (const [index, entry] of entries.entries()) {
    const at = priorities[index] ?? 0
    tiers[at] = [...(tiers[at] ?? []), entry]
  }
  return tiers
}

function tierText(tier: Entry[], providerName: (id: string) => string): string {
  const names = tier.map((entry) => `${entry.upstreamModel} on ${providerName(entry.providerId)}`)
  return names.length === 1 ? (names[0] ?? '') : `the healthier and cheaper of ${listed(names)}`
}

function retryText(entries: Entry[]): string {
  const retrying = entries.filter((entry) => entry.retries > 0)
  const first = retrying[0]
  if (!first) return ' A vendor that answers 429 is left at once.'
  const all = retrying.length === entries.length
  const who = all ? 'A vendor that answers 429' : `${first.upstreamModel}, when it answers 429,`
  const wait = first.maxWaitSecs > 0 ? `, waiting ${secondsInWords(first.maxWaitSecs)} at most` : ''
  return ` ${who} is asked again up to ${counted(first.retries, 'time')}${wait}.`
}
