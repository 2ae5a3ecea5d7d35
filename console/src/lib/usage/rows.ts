import type { UsageSummaryRow } from '$lib/api/types'
import { topSeries, type Point, type Series } from '$lib/charts/series'
import type { Dimension } from './filters'

export type Metric = 'cost' | 'tokens' | 'requests' | 'errors'

export const METRICS: { value: Metric; text: string }[] = [
  { value: 'cost', text: 'Spend' },
  { value: 'tokens', text: 'Tokens' },
  { value: 'requests', text: 'Requests' },
  { value: 'errors', text: 'Errors' },
]

export function metricOf(row: UsageSummaryRow, metric: Metric): number {
  if (metric === 'cost') return row.cost_total ?? 0
  if (metric === 'tokens') return row.total_tokens
  return metric === 'errors' ? row.errors : row.requests
}

/** What a row is about, as the API says it; null where its requests had none. */
export function labelOf(row: UsageSummaryRow, dimension: Dimension): string | null {
  const value = row[dimension.groupBy]
  return value === null || value === undefined ? null : String(value)
}

/** The time of a row, in seconds since the epoch. */
export function timeOf(row: UsageSummaryRow): number | null {
  const at = row.hour ?? (row.day ? `${row.day}T00:00:00Z` : null)
  return at ? Math.floor(new Date(at).getTime() / 1000) : null
}

const SHOWN = 6

/** Rows by time and dimension as layers of a chart, the greatest first. */
export function layersOf(
  rows: UsageSummaryRow[],
  times: number[],
  metric: Metric,
  nameOf: (row: UsageSummaryRow) => string,
): Series[] {
  const points: Point[] = []
  for (const row of rows) {
    const time = timeOf(row)
    if (time !== null) points.push({ time, name: nameOf(row), value: metricOf(row, metric) })
  }
  const series = topSeries(points, times, SHOWN)
  const some = series.filter((one) => one.values.some((value) => value !== null && value > 0))
  return some.length > 0 ? some : series.slice(0, 1)
}

const PERCENTILES = ['p50', 'p90', 'p95', 'p99'] as const

/** Rows by time as lines of their percentiles. */
export function percentilesOf(
  rows: UsageSummaryRow[],
  times: number[],
  of: 'latency_ms' | 'ttfb_ms',
): Series[] {
  const at = new Map(rows.map((row) => [timeOf(row), row]))
  return PERCENTILES.map((percentile) => ({
    name: percentile,
    values: times.map((time) => at.get(time)?.[`${of}_${percentile}`] ?? null),
  }))
}

/** The share of requests that failed. */
export function errorShare(row: Pick<UsageSummaryRow, 'errors' | 'requests'>): number {
  return row.requests === 0 ? 0 : row.errors / row.requests
}
