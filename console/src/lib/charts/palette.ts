/** Colours as they are shown now: a canvas cannot read CSS variables. */
export interface Palette {
  series: string[]
  text: string
  grid: string
}

const SERIES = 8

export function paletteOf(element: HTMLElement): Palette {
  const probe = document.createElement('span')
  element.append(probe)
  const read = (name: string): string => {
    probe.style.color = `var(${name})`
    return getComputedStyle(probe).color
  }
  const palette = {
    series: Array.from({ length: SERIES }, (_, index) => read(`--series-${index + 1}`)),
    text: read('--text-3'),
    grid: read('--line'),
  }
  probe.remove()
  return palette
}

/** The CSS variable of a series, for legends. */
export function seriesVariable(index: number): string {
  return `var(--series-${(index % SERIES) + 1})`
}

export function seriesColour(palette: Palette, index: number): string {
  return palette.series[index % SERIES] ?? palette.text
}
