/** Percentages as they are typed: `80, 90`; null where one is none. */
export function parseThresholds(text: string): number[] | null {
  const parts = text
    .split(/[,\s]+/)
    .map((part) => part.replace('%', ''))
    .filter(Boolean)
  const numbers = parts.map(Number)
  const areGood = numbers.every((number) => Number.isInteger(number) && number >= 0 && number <= 100)
  return areGood ? [...new Set(numbers)].sort((a, b) => a - b) : null
}
