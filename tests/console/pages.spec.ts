import { mkdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Page } from '@playwright/test'
import { expectAccessible } from './support/axe.ts'
import { expect, test } from './support/fixtures.ts'
import { PAGES } from './support/pages.ts'
import { furnish } from './support/scene.ts'

/** Pictures of every page, for people to look at. */
const SHOTS = process.env.CONSOLE_SHOTS ?? path.join(os.tmpdir(), 'turnpike-console-shots')
mkdirSync(SHOTS, { recursive: true })

function fileOf(at: string, theme: string, more = ''): string {
  return path.join(SHOTS, `${at.slice(1).replaceAll('/', '-') || 'overview'}${more}-${theme}.png`)
}

/** What makes a page scroll sideways. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth <= clientWidth) return []
    const wide = [...document.querySelectorAll('body *')].filter(
      (each) => each.getBoundingClientRect().right > clientWidth + 1,
    )
    return [
      `${scrollWidth - clientWidth} px`,
      ...wide.slice(0, 5).map((each) => each.outerHTML.slice(0, 120)),
    ]
  })
}

test.describe.configure({ mode: 'serial', timeout: 120_000 })

test('while there is nothing, every page says the next step', async ({ page, open }) => {
  for (const { path: at, title } of PAGES) {
    await open(at)
    await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible()
    await expectAccessible(page)
    await page.screenshot({ path: fileOf(at, 'light', '-empty') })
  }
})

for (const theme of ['light', 'dark'] as const) {
  test.describe(`in the ${theme} theme`, () => {
    test.use({ colorScheme: theme })

    test('every page opens by its address, and axe finds nothing serious', async ({
      page,
      open,
      gateway,
    }) => {
      if (theme === 'light') await furnish(gateway)
      for (const { path: at, title } of PAGES) {
        await open(at)
        await expect(page).toHaveTitle(`${title} · Turnpike`)
        await page.waitForLoadState('networkidle')
        await expectAccessible(page)
        await page.screenshot({ path: fileOf(at, theme), fullPage: true })
      }
    })
  })
}

test('no page of another window size hides what it says', async ({ page, open }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  for (const { path: at } of PAGES) {
    await open(at)
    await page.waitForLoadState('networkidle')
    expect(await tooWide(page), `what is too wide on ${at}`).toEqual([])
    await page.screenshot({ path: fileOf(at, 'light', '-narrow') })
  }
})
