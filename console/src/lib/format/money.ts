/** An amount of money: cents for what people pay, more digits for what one request costs. */
export function money(amount: number | null | undefined, currency: string | null = 'USD'): string {
  if (amount === null || amount === undefined) return '—'
  return formatter(currency ?? 'USD', digitsFor(amount)).format(amount)
}

/** An axis or a tile has room for `$1.2K` only. */
export function shortMoney(amount: number, currency: string | null = 'USD'): string {
  if (Math.abs(amount) < 1000) return money(amount, currency)
  return new Intl.NumberFormat('en', {
    style: 'currency',
    currency: currency ?? 'USD',
    notation: 'compact',
    maximumFractionDigits: 1,
  }).format(amount)
}

/** A price of a million tokens: as many digits as it has, two at least. */
export function price(perMillion: number | null | undefined, currency = 'USD'): string {
  if (perMillion === null || perMillion === undefined) return '—'
  return new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    minimumFractionDigits: 2,
    maximumFractionDigits: 6,
  }).format(perMillion)
}

function digitsFor(amount: number): number {
  const size = Math.abs(amount)
  if (size === 0 || size >= 0.1) return 2
  if (size >= 0.01) return 4
  return 6
}

function formatter(currency: string, digits: number): Intl.NumberFormat {
  return new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
    minimumFractionDigits: Math.min(2, digits),
    maximumFractionDigits: digits,
  })
}
