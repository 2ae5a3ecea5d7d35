import uPlot from 'uplot'
import { seriesColour, type Palette } from './palette'

export type ChartKind = 'bars' | 'lines'

interface Wanted {
  kind: ChartKind
  width: number
  height: number
  /** Seconds between two times. */
  step: number
  names: string[]
  /** How many times there are. */
  count: number
  palette: Palette
  /** How the upright axis says its values. */
  format: (value: number) => string
  onhover: (index: number | null, left: number) => void
}

const MOST_POINTS = 40
const AXIS_FONT = '11px Inter, system-ui, sans-serif'

export function chartOptions(wanted: Wanted): uPlot.Options {
  return {
    width: wanted.width,
    height: wanted.height,
    padding: [10, 8, 0, 4],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { time: true, range: (_, min, max) => [min - wanted.step / 2, max + wanted.step / 2] },
      y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      { ...axis(wanted.palette), size: 30, space: 70, values: timeLabels(wanted.step) },
      { ...axis(wanted.palette), size: 56, space: 34, values: (_, splits) => splits.map(wanted.format) },
    ],
    series: [{}, ...wanted.names.map((_, index) => seriesOf(wanted, index))],
    hooks: {
      setCursor: [(plot) => wanted.onhover(plot.cursor.idx ?? null, plot.cursor.left ?? -1)],
    },
  }
}

function axis(palette: Palette): uPlot.Axis {
  return {
    stroke: palette.text,
    font: AXIS_FONT,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
    gap: 6,
  }
}

// Layers are drawn from the tallest down, each over the one that it stands upon.
function seriesOf(wanted: Wanted, index: number): uPlot.Series {
  if (wanted.kind === 'bars') {
    const layer = wanted.names.length - 1 - index
    const colour = seriesColour(wanted.palette, layer)
    return {
      fill: colour,
      stroke: colour,
      width: 0,
      points: { show: false },
      paths: uPlot.paths.bars?.({ size: [0.72, 44], radius: 0.08 }),
    }
  }
  const colour = seriesColour(wanted.palette, index)
  return {
    stroke: colour,
    width: 1.75,
    // A line of a single point would not be seen.
    points: { show: wanted.count <= MOST_POINTS, size: 5, fill: colour, stroke: colour },
    spanGaps: true,
  }
}

function timeLabels(step: number): (plot: uPlot, splits: number[]) => string[] {
  const hours = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const days = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' })
  const format = step < 86_400 ? hours : days
  return (_, splits) => {
    const labels = splits.map((at) => format.format(at * 1000))
    return labels.map((label, index) => (label === labels[index - 1] ? '' : label))
  }
}
