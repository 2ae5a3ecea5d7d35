/**
 * The field that the API's refusal names, if it is one of `fields`. Its messages begin with the field:
 * `name: must not be empty`, `request_timeout_secs must be between 1 and 3600`.
 */
export function fieldNamed(message: string, fields: readonly string[]): string | null {
  const first = /^`?([a-z_0-9]+)/.exec(message)?.[1] ?? ''
  return fields.includes(first) ? first : null
}
