import type { Provider, RouteHealthEntry, TokenBudgetStatus } from '$lib/api/types'
import { counted, listed } from '$lib/format/numbers'

export interface Concern {
  kind: 'warn' | 'bad'
  text: string
  link: string
  href: string
}

/** What needs somebody's eye, the worst first. */
export function concernsOf(
  providers: Provider[],
  routes: RouteHealthEntry[],
  budgets: TokenBudgetStatus[],
): Concern[] {
  return [unhealthy(providers), ejected(routes), usedUp(budgets), nearlyUsedUp(budgets)].filter(
    (concern): concern is Concern => concern !== null,
  )
}

function unhealthy(providers: Provider[]): Concern | null {
  const sick = providers.filter((provider) => provider.enabled && provider.health_status === 'unhealthy')
  if (sick.length === 0) return null
  return {
    kind: 'bad',
    text: `${listed(sick.map((provider) => provider.name))} ${sick.length === 1 ? 'fails its' : 'fail their'} health check.`,
    link: 'Look at the providers',
    href: '/config/providers',
  }
}

function ejected(routes: RouteHealthEntry[]): Concern | null {
  const out = routes.filter((route) => route.state === 'ejected')
  if (out.length === 0) return null
  return {
    kind: 'warn',
    text: `${counted(out.length, 'route is', 'routes are')} passed over for now.`,
    link: 'Look at route health',
    href: '/config/route-health',
  }
}

function shareOf(status: TokenBudgetStatus): number {
  return Math.max(status.percentage_used, status.cost_percentage_used)
}

function usedUp(budgets: TokenBudgetStatus[]): Concern | null {
  const gone = budgets.filter((status) => status.budget.enabled && shareOf(status) >= 100)
  if (gone.length === 0) return null
  return {
    kind: 'bad',
    text: `${counted(gone.length, 'budget is', 'budgets are')} used up: ${listed(gone.map((status) => status.budget.name))}.`,
    link: 'Look at the budgets',
    href: '/controls/budgets',
  }
}

function nearlyUsedUp(budgets: TokenBudgetStatus[]): Concern | null {
  const near = budgets.filter(
    (status) => status.budget.enabled && shareOf(status) >= 80 && shareOf(status) < 100,
  )
  if (near.length === 0) return null
  return {
    kind: 'warn',
    text: `${counted(near.length, 'budget is', 'budgets are')} nearly used up: ${listed(near.map((status) => status.budget.name))}.`,
    link: 'Look at the budgets',
    href: '/controls/budgets',
  }
}
