import { test as base, expect, type Page } from '@playwright/test'
import { Gateway, type Role } from './gateway.ts'

interface Running {
  gateway: Gateway
}

interface Tools {
  /** Signs the page in as `role` and opens `at`. */
  open: (at: string, role?: Role) => Promise<void>
}

/** Each worker has a gateway of its own, with its console; each test a browser that is signed out. */
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
  open: async ({ page, gateway }, use) => {
    const faults = faultsOf(page)
    let signedInAs: Role | null = null
    await use(async (at, role = 'admin') => {
      if (signedInAs !== role) await page.goto(gateway.linkFor(role))
      signedInAs = role
      await page.goto(gateway.address + at)
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
