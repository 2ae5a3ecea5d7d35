import type { Component } from 'svelte'
import type { IconName } from '$lib/components/icons'
import type { Role } from '$lib/session/types'

/** One page: its address, its name, who may see it, and how its code is fetched. */
export interface Page {
  path: string
  title: string
  role: Role
  load: () => Promise<{ default: Component }>
  /** Not in the navigation: reached from another page. */
  hidden?: boolean
}

/** Pages that belong together in the navigation. */
export interface Area {
  name: string
  icon: IconName
  pages: Page[]
}

export const AREAS: Area[] = [
  {
    name: 'Overview',
    icon: 'home',
    pages: [
      { path: '/', title: 'Overview', role: 'user', load: () => import('../pages/overview/Overview.svelte') },
    ],
  },
  {
    name: 'LLM Configuration',
    icon: 'plug',
    pages: [
      {
        path: '/config/credentials',
        title: 'Credentials',
        role: 'admin',
        load: () => import('../pages/config/credentials/Credentials.svelte'),
      },
      {
        path: '/config/providers',
        title: 'Providers',
        role: 'admin',
        load: () => import('../pages/config/providers/Providers.svelte'),
      },
      {
        path: '/config/models',
        title: 'Models',
        role: 'admin',
        load: () => import('../pages/config/models/Models.svelte'),
      },
      {
        path: '/config/pricing',
        title: 'Model Pricing',
        role: 'admin',
        load: () => import('../pages/config/pricing/Pricing.svelte'),
      },
      {
        path: '/config/routes',
        title: 'Model Routes',
        role: 'admin',
        load: () => import('../pages/config/routes/Routes.svelte'),
      },
      {
        path: '/config/api-keys',
        title: 'API Keys',
        role: 'admin',
        load: () => import('../pages/config/api-keys/ApiKeys.svelte'),
      },
      {
        path: '/config/route-health',
        title: 'Route Health',
        role: 'admin',
        load: () => import('../pages/config/route-health/RouteHealth.svelte'),
      },
    ],
  },
  {
    name: 'LLM Controls',
    icon: 'sliders',
    pages: [
      {
        path: '/controls/budgets',
        title: 'Budgets',
        role: 'admin',
        load: () => import('../pages/controls/budgets/Budgets.svelte'),
      },
      {
        path: '/controls/rate-limits',
        title: 'Rate Limits',
        role: 'admin',
        load: () => import('../pages/controls/rate-limits/RateLimits.svelte'),
      },
      {
        path: '/controls/model-access',
        title: 'Model Access',
        role: 'admin',
        load: () => import('../pages/controls/model-access/ModelAccess.svelte'),
      },
      {
        path: '/controls/smart-models',
        title: 'Smart Models',
        role: 'admin',
        load: () => import('../pages/controls/smart-models/SmartModels.svelte'),
      },
      {
        path: '/controls/governance',
        title: 'Governance',
        role: 'admin',
        load: () => import('../pages/controls/governance/Governance.svelte'),
      },
    ],
  },
  {
    name: 'Reporting',
    icon: 'chart',
    pages: [
      {
        path: '/reporting/usage',
        title: 'LLM Usage',
        role: 'user',
        load: () => import('../pages/reporting/usage/Usage.svelte'),
      },
      {
        path: '/reporting/requests',
        title: 'Requests',
        role: 'user',
        load: () => import('../pages/reporting/requests/Requests.svelte'),
      },
      {
        path: '/reporting/audit',
        title: 'Audit Log',
        role: 'admin',
        load: () => import('../pages/reporting/audit/Audit.svelte'),
      },
    ],
  },
  {
    name: 'Playground',
    icon: 'play',
    pages: [
      {
        path: '/playground',
        title: 'Playground',
        role: 'user',
        load: () => import('../pages/playground/Playground.svelte'),
      },
    ],
  },
  {
    name: 'Settings',
    icon: 'gear',
    pages: [
      {
        path: '/settings/my-models',
        title: 'My Models',
        role: 'user',
        load: () => import('../pages/settings/my-models/MyModels.svelte'),
      },
      {
        path: '/settings/users',
        title: 'Users',
        role: 'admin',
        load: () => import('../pages/settings/users/Users.svelte'),
      },
      {
        path: '/settings/service-accounts',
        title: 'Service Accounts',
        role: 'admin',
        load: () => import('../pages/settings/service-accounts/ServiceAccounts.svelte'),
      },
      {
        path: '/settings/webhooks',
        title: 'Alert Webhooks',
        role: 'admin',
        load: () => import('../pages/settings/webhooks/Webhooks.svelte'),
      },
    ],
  },
]

export const PAGES: Page[] = AREAS.flatMap((area) => area.pages)
