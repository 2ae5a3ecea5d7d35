import type { AlertName } from '$lib/api/types'
import { listed } from '$lib/format/numbers'

export const EVENTS: { value: AlertName; short: string; text: string; when: string }[] = [
  {
    value: 'budget_threshold',
    short: 'Budget threshold',
    text: 'A budget reaches a threshold',
    when: 'a budget reaches one of its thresholds',
  },
  {
    value: 'budget_exhausted',
    short: 'Budget used up',
    text: 'A budget is used up',
    when: 'a budget is used up',
  },
  {
    value: 'route_ejected',
    short: 'Route ejected',
    text: 'A route fails and is passed over',
    when: 'a route is passed over because it fails',
  },
  {
    value: 'upstream_key_rejected',
    short: 'Key rejected',
    text: 'A vendor refuses the gateway’s credential',
    when: 'a vendor refuses the gateway’s credential',
  },
]

/** What a webhook does. */
export function webhookEffect(fields: { url: string; events: AlertName[]; enabled: boolean }): string {
  if (!fields.enabled) return 'It is switched off: nothing is sent.'
  const when = EVENTS.filter((event) => fields.events.includes(event.value)).map((event) => event.when)
  if (when.length === 0) return 'Nothing is sent: choose what it is told of.'
  return `When ${listed(when, 'or')}, a signed message is posted to ${fields.url.trim() || 'the address'}, and again until it is taken. A message may arrive twice.`
}
