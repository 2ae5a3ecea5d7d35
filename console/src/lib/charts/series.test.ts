import { describe, expect, it } from 'vitest'
import { stacked, timesBetween, topSeries } from './series'

describe('layers', () => {
  it('stand upon each other', () => {
    const layers = stacked([
      { name: 'a', values: [1, 2] },
      { name: 'b', values: [10, null] },
    ])
    expect(layers.map((layer) => layer.values)).toEqual([
      [1, 2],
      [11, 2],
    ])
  })
})

describe('the names that matter most', () => {
  const points = [
    { time: 0, name: 'small', value: 1 },
    { time: 0, name: 'large', value: 5 },
    { time: 60, name: 'large', value: 5 },
    { time: 60, name: 'tiny', value: 0.5 },
    { time: 60, name: 'middle', value: 3 },
  ]

  it('come first, and the rest are one', () => {
    expect(topSeries(points, [0, 60], 2)).toEqual([
      { name: 'large', values: [5, 5] },
      { name: 'middle', values: [0, 3] },
      { name: 'Others', values: [1, 0.5] },
    ])
  })

  it('never hide a single one behind "others"', () => {
    expect(topSeries(points, [0, 60], 3).map((series) => series.name)).toEqual([
      'large',
      'middle',
      'small',
      'tiny',
    ])
  })

  it('leave out times that are not shown', () => {
    expect(topSeries(points, [60], 5).find((series) => series.name === 'small')).toBeUndefined()
  })
})

it('quiet times are among the times of a chart', () => {
  expect(timesBetween(3700, 10_900, 3600)).toEqual([3600, 7200, 10_800])
})
