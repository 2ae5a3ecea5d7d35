import { price } from '$lib/format/money'
import { moment } from '$lib/format/time'

export interface PriceFields {
  pattern: string
  /** Whose models: a provider's, a vendor's, or anyone's. */
  appliesTo: { is: 'provider'; name: string } | { is: 'vendor'; name: string } | { is: 'any' }
  input: number | null
  output: number | null
  cacheRead: number | null
  cacheWrite: number | null
  /** Null is now. */
  from: string | null
  syncMode: 'pinned' | 'tracking' | 'auto'
}

const SYNC: Record<PriceFields['syncMode'], string> = {
  pinned: '',
  tracking: ' When the managed default changes, you are offered its price.',
  auto: ' When the managed default changes, it takes its price by itself.',
}

/** What a price does. */
export function priceEffect(fields: PriceFields): string {
  if (fields.input === null || fields.output === null) return 'It needs a price for input and one for output.'
  const since = fields.from ? `From ${moment(fields.from)} on` : 'From now on'
  const what = `a million tokens of ${patternText(fields.pattern)}${whose(fields)} cost ${price(fields.input)} as input and ${price(fields.output)} as output`
  return `${since}, ${what}${cacheText(fields)}. Requests before keep the price that they had.${SYNC[fields.syncMode]}`
}

export function patternText(pattern: string): string {
  const trimmed = pattern.trim()
  if (!trimmed) return '…'
  if (trimmed === '*') return 'every model'
  return trimmed.endsWith('*') ? `models that begin with ${trimmed.slice(0, -1)}` : trimmed
}

function whose({ appliesTo }: PriceFields): string {
  if (appliesTo.is === 'provider') return ` on ${appliesTo.name}`
  return appliesTo.is === 'vendor' ? ` of ${appliesTo.name}` : ''
}

function cacheText({ cacheRead, cacheWrite }: PriceFields): string {
  const parts: string[] = []
  if (cacheRead !== null) parts.push(`${price(cacheRead)} read from a cache`)
  if (cacheWrite !== null) parts.push(`${price(cacheWrite)} written to one`)
  return parts.length > 0 ? `, ${parts.join(' and ')}` : ''
}
