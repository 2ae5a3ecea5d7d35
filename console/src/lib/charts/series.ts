/** One line, or one layer of bars. `values` has one for each time; null where there is none. */
export interface Series {
  name: string
  values: (number | null)[]
}

/** The layers of stacked bars: each is the sum of itself and all before it. */
export function stacked(series: Series[]): Series[] {
  const sums: number[] = []
  return series.map((layer) => ({
    name: layer.name,
    values: layer.values.map((value, index) => {
      const sum = (sums[index] ?? 0) + (value ?? 0)
      sums[index] = sum
      return sum
    }),
  }))
}

/** A figure at a time, for one of several names. */
export interface Point {
  time: number
  name: string
  value: number
}

/** The names with the greatest sums, and the rest as one; in the order of their sums. */
export function topSeries(points: Point[], times: number[], top: number, rest = 'Others'): Series[] {
  const ranked = [...sumsByName(points)].sort((a, b) => b[1] - a[1]).map(([name]) => name)
  const shown = new Set(ranked.length > top + 1 ? ranked.slice(0, top) : ranked)
  const at = new Map(times.map((time, index) => [time, index]))
  const values = new Map<string, number[]>()
  for (const point of points) {
    const name = shown.has(point.name) ? point.name : rest
    const index = at.get(point.time)
    if (index === undefined) continue
    const row = values.get(name) ?? times.map(() => 0)
    row[index] = (row[index] ?? 0) + point.value
    values.set(name, row)
  }
  const names = [...ranked.filter((name) => shown.has(name)), rest]
  return names.flatMap((name) => {
    const row = values.get(name)
    return row ? [{ name, values: row }] : []
  })
}

function sumsByName(points: Point[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const point of points) sums.set(point.name, (sums.get(point.name) ?? 0) + point.value)
  return sums
}

/** Every time from `from` to `to` (seconds), `step` apart, so that quiet times are seen as such. */
export function timesBetween(from: number, to: number, step: number): number[] {
  const first = Math.floor(from / step) * step
  const times: number[] = []
  for (let time = first; time < to; time += step) times.push(time)
  return times
}
