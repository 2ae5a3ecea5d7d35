export type RangeName = '24h' | '7d' | '30d' | '90d'

export const RANGES: { value: RangeName; text: string }[] = [
  { value: '24h', text: '24 hours' },
  { value: '7d', text: '7 days' },
  { value: '30d', text: '30 days' },
  { value: '90d', text: '90 days' },
]

/** A period of a report, and how finely it is divided. */
export interface Range {
  name: RangeName
  from: Date
  to: Date
  unit: 'hour' | 'day'
  /** Seconds of one unit. */
  step: number
}

const HOUR = 3600
const DAY = 24 * HOUR
const DAYS: Record<RangeName, number> = { '24h': 1, '7d': 7, '30d': 30, '90d': 90 }

/** The newest such period: whole hours, or whole days of UTC, the current one among them. */
export function rangeOf(name: string | null, now: Date = new Date()): Range {
  const known = RANGES.find((range) => range.value === name)?.value ?? '7d'
  const step = known === '24h' ? HOUR : DAY
  const units = known === '24h' ? 24 : DAYS[known]
  const end = (Math.floor(now.getTime() / 1000 / step) + 1) * step
  return {
    name: known,
    from: new Date((end - units * step) * 1000),
    to: new Date(end * 1000),
    unit: step === HOUR ? 'hour' : 'day',
    step,
  }
}
