/** A number that an input holds; its empty state is null, undefined or NaN. */
export function secondsOf(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
