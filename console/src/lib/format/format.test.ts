import { describe, expect, it } from 'vitest'
import { money, price, shortMoney } from './money'
import { count, counted, listed, percent, short } from './numbers'
import { ago, duration, fromLocalInput, secondsInWords, toLocalInput } from './time'

describe('numbers', () => {
  it('are grouped, and short where there is no room', () => {
    expect(count(1234567)).toBe('1,234,567')
    expect(short(9_999)).toBe('9,999')
    expect(short(1_250_000)).toBe('1.3M')
  })

  it('as shares never hide that something happened', () => {
    expect(percent(0)).toBe('0.0%')
    expect(percent(0.0004)).toBe('<0.1%')
    expect(percent(0.9996)).toBe('>99.9%')
    expect(percent(0.034)).toBe('3.4%')
    expect(percent(0.87)).toBe('87%')
    expect(percent(1)).toBe('100%')
  })

  it('agree with their nouns', () => {
    expect(counted(1, 'key')).toBe('1 key')
    expect(counted(0, 'key')).toBe('0 keys')
    expect(counted(2, 'policy', 'policies')).toBe('2 policies')
  })

  it('and names stand in lists as people write them', () => {
    expect(listed([])).toBe('')
    expect(listed(['a'])).toBe('a')
    expect(listed(['a', 'b', 'c'])).toBe('a, b and c')
    expect(listed(['a', 'b'], 'or')).toBe('a or b')
  })
})

describe('money', () => {
  it('has cents, and more digits where a request costs less than one', () => {
    expect(money(12.5)).toBe('$12.50')
    expect(money(0.0342)).toBe('$0.0342')
    expect(money(0.000125)).toBe('$0.000125')
    expect(money(0)).toBe('$0.00')
  })

  it('that is not known is no zero', () => {
    expect(money(null)).toBe('—')
    expect(price(undefined)).toBe('—')
  })

  it('as a price keeps every digit', () => {
    expect(price(0.25)).toBe('$0.25')
    expect(price(0.0375)).toBe('$0.0375')
    expect(price(10)).toBe('$10.00')
  })

  it('is short on axes', () => {
    expect(shortMoney(1234)).toBe('$1.2K')
    expect(shortMoney(12)).toBe('$12.00')
  })
})

describe('time', () => {
  const now = new Date('2026-11-21T12:00:00Z')

  it('is told by its distance, and by its date when that is long', () => {
    expect(ago('2026-11-21T11:59:50Z', now)).toBe('just now')
    expect(ago('2026-11-21T11:58:00Z', now)).toBe('2 minutes ago')
    expect(ago('2026-11-21T15:00:00Z', now)).toBe('in 3 hours')
    expect(ago('2026-11-20T11:00:00Z', now)).toBe('yesterday')
    expect(ago('2026-08-01T12:00:00Z', now)).toBe('Aug 1, 2026')
  })

  it('as a duration has the unit that fits', () => {
    expect(duration(850)).toBe('850 ms')
    expect(duration(2400)).toBe('2.40 s')
    expect(duration(42_300)).toBe('42.3 s')
    expect(duration(65_000)).toBe('1 min 5 s')
    expect(duration(null)).toBe('—')
  })

  it('in sentences is in whole words', () => {
    expect(secondsInWords(1)).toBe('1 second')
    expect(secondsInWords(60)).toBe('1 minute')
    expect(secondsInWords(90)).toBe('90 seconds')
    expect(secondsInWords(180)).toBe('3 minutes')
  })

  it('goes through an input and back', () => {
    const at = new Date('2026-11-21T12:34:00Z')
    expect(fromLocalInput(toLocalInput(at))).toBe('2026-11-21T12:34:00.000Z')
    expect(fromLocalInput('')).toBeNull()
    expect(fromLocalInput('soon')).toBeNull()
  })
})
