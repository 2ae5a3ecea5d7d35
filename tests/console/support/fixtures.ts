import { test as base, expect, type Page } from '@playwright/test'
import { serveConsole, type Console } from './console.ts'
import { Gateway, type Role } from './gateway.ts'

interface Running {
  gateway: Gateway
  site: Console
}

interface Tools {
  /** Signs the page in as `role` and opens `at`. The one place that knows how people sign in. */
  open: (at: string, role?: Role) => Promise<void>
}

/** Each worker has a gateway and a console of its own; each test a browser that is signed out. */
export const test = base.extend<Tools, Running>({
  gateway: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const gateway = await Gateway.start()
      await use(gateway)
      await gateway.stop()
    },
    { scope: 'worker' },
  ],
  site: [
    async ({ gateway }, use) => {
      const site = await serveConsole(gateway)
      await use(site)
      await site.stop()
    },
    { scope: 'worker' },
  ],
  open: async ({ page, site }, use) => {
    const faults = faultsOf(page)
    let signedInAs: Role | null = null
    await use(async (at, role = 'admin') => {
      if (signedInAs !== role) await page.goto(site.linkFor(role))
      signedInAs = role
      await page.goto(site.address + at)
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    })
    expect(faults).toEqual([])
  },
})

/** What goes wrong unseen: in scripts, and against the content security policy. */
function faultsOf(page: Page): string[] {
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text())
  })
  return faults
}

export { expect }
