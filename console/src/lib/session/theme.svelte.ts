export type Theme = 'system' | 'light' | 'dark'

const KEPT_AS = 'turnpike.theme'
const darkWanted = matchMedia('(prefers-color-scheme: dark)')

let chosen = $state<Theme>(stored())
let systemIsDark = $state(darkWanted.matches)
darkWanted.addEventListener('change', (event) => (systemIsDark = event.matches))

function stored(): Theme {
  const kept = localStorage.getItem(KEPT_AS)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

function apply(theme: Theme): void {
  if (theme === 'system') document.documentElement.removeAttribute('data-theme')
  else document.documentElement.setAttribute('data-theme', theme)
}

apply(chosen)

export const theme = {
  get chosen(): Theme {
    return chosen
  },

  /** What is shown: charts draw their own pixels and must know. */
  get shown(): 'light' | 'dark' {
    if (chosen !== 'system') return chosen
    return systemIsDark ? 'dark' : 'light'
  },

  choose(next: Theme): void {
    chosen = next
    localStorage.setItem(KEPT_AS, next)
    apply(next)
  },
}
