/** The number that an input holds, or `otherwise` where it is empty. */
export function numberOr<T>(value: number | null | undefined, otherwise: T): number | T {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise
}
