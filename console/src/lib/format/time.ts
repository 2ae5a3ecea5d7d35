const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const dateTime = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const withSeconds = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const dayOnly = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' })

/** `21 Nov 2026, 09:05`, in the reader's own zone. */
export function moment(at: string | Date): string {
  return dateTime.format(new Date(at))
}

/** To the second, for lists of events. */
export function exactMoment(at: string | Date): string {
  return withSeconds.format(new Date(at))
}

export function day(at: string | Date): string {
  return dayOnly.format(new Date(at))
}

/** `2 minutes ago`, `in 3 days`; a date where it is more than a month away. */
export function ago(at: string | Date, now: Date = new Date()): string {
  const gap = new Date(at).getTime() - now.getTime()
  const size = Math.abs(gap)
  if (size < 45 * SECOND) return 'just now'
  if (size > 30 * DAY) return day(at)
  const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
  if (size < 45 * MINUTE) return relative.format(Math.round(gap / MINUTE), 'minute')
  if (size < 22 * HOUR) return relative.format(Math.round(gap / HOUR), 'hour')
  return relative.format(Math.round(gap / DAY), 'day')
}

/** `850 ms`, `2.4 s`, `1 min 5 s`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '—'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < MINUTE) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Seconds in the words of a sentence: `90 seconds`, `2 minutes`. */
export function secondsInWords(seconds: number): string {
  if (seconds >= 120 && seconds % 60 === 0) return `${seconds / 60} minutes`
  if (seconds === 60) return '1 minute'
  return seconds === 1 ? '1 second' : `${seconds} seconds`
}

/** What `<input type="datetime-local">` shows for an instant, in the reader's own zone. */
export function toLocalInput(at: Date): string {
  const pad = (value: number): string => String(value).padStart(2, '0')
  const date = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
  return `${date}T${pad(at.getHours())}:${pad(at.getMinutes())}`
}

/** The instant that such an input holds; null where it is empty or broken. */
export function fromLocalInput(value: string): string | null {
  if (!value) return null
  const at = new Date(value)
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}
