import { expectAccessible } from './support/axe.ts'
import { expect, test } from './support/fixtures.ts'
import { PAGES } from './support/pages.ts'

test('who is not signed in is asked to, wherever they wanted to go, and gets there', async ({
  page,
  gateway,
}) => {
  await page.goto(`${gateway.address}/reporting/usage`)
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('link', { name: /^Continue with/ }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'LLM Usage' })).toBeVisible()
})

test('signing out ends the session', async ({ page, open, gateway }) => {
  await open('/')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await page.goto(`${gateway.address}/config/providers`)
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('a session that ends is told of, and the page is there again after signing in', async ({
  page,
  open,
  context,
}) => {
  await open('/config/providers')
  await context.clearCookies()
  await page.getByRole('button', { name: 'Check now' }).first().click()
  await expect(page.getByText('Your session has ended.')).toBeVisible()
  expect(new URL(page.url()).pathname).toBe('/config/providers')
})

test('moving within the console moves the address, the title and the focus, and back again', async ({
  page,
  open,
}) => {
  await open('/')
  await page.getByRole('link', { name: 'Providers', exact: true }).click()
  await expect(page).toHaveURL(/\/config\/providers$/)
  await expect(page).toHaveTitle('Providers · Turnpike')
  await expect(page.getByRole('heading', { level: 1, name: 'Providers' })).toBeFocused()
  await page.goBack()
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible()
})

test('a page that is not there says so', async ({ page, open }) => {
  await open('/nowhere/at/all')
  await expect(page.getByText('There is nothing here')).toBeVisible()
  await page.getByRole('link', { name: 'Go to the overview' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible()
})

test('the chosen theme stays', async ({ page, open }) => {
  await open('/')
  await page.getByRole('button', { name: 'Dark' }).click()
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('a keyboard reaches the page at once, and the menu of a narrow window', async ({ page, open }) => {
  await open('/config/providers')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused()
  await page.setViewportSize({ width: 390, height: 844 })
  await page.getByRole('button', { name: 'Open the menu' }).press('Enter')
  await expect(page.getByRole('link', { name: 'Budgets' })).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('link', { name: 'Budgets' })).toBeHidden()
})

test('a member sees what members may do, and nothing else', async ({ page, open, gateway }) => {
  await open('/', 'user')
  const links = page.getByRole('navigation', { name: 'Main' }).getByRole('link')
  const shown = await links.allTextContents()
  expect(shown.map((text) => text.trim())).toEqual(
    PAGES.filter((each) => !each.adminsOnly).map((each) => each.title),
  )
  for (const { path } of PAGES.filter((each) => each.adminsOnly)) {
    await open(path, 'user')
    await expect(page.getByText('There is nothing here')).toBeVisible()
  }
  await expect(gateway.api('GET', '/admin/providers', undefined, 'user')).rejects.toThrow(/403/)
})

test('every page of a member works for a member', async ({ page, open }) => {
  const refused: string[] = []
  page.on('response', (response) => {
    if (response.status() === 403) refused.push(response.url())
  })
  for (const { path, adminsOnly } of PAGES) {
    if (adminsOnly) continue
    await open(path, 'user')
    await page.waitForLoadState('networkidle')
    await expectAccessible(page)
  }
  expect(refused).toEqual([])
})

test('a superadmin acts on another organization, and returns', async ({ page, open, gateway }) => {
  gateway.tokenFor('acme', 'ada@acme.example', 'admin')
  await open('/', 'superadmin')
  await page.getByRole('button', { name: 'Change organization' }).click()
  await page.getByRole('textbox', { name: 'Organization' }).fill('nobody-knows-it')
  await page.getByRole('dialog').getByRole('button', { name: 'Change', exact: true }).click()
  await expect(page.getByRole('alert')).toBeVisible()
  await page.getByRole('textbox', { name: 'Organization' }).fill('acme')
  await page.getByRole('dialog').getByRole('button', { name: 'Change', exact: true }).click()
  await expect(page.getByRole('region', { name: 'You' })).toContainText('acme')
  await page.getByRole('link', { name: 'Providers', exact: true }).click()
  await expect(page.getByText('No provider yet')).toBeVisible()
})

test('nothing is loaded from another host', async ({ page, open, gateway }) => {
  const foreign: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(gateway.address) && !/^(data|blob):/.test(request.url()))
      foreign.push(request.url())
  })
  for (const { path } of PAGES) await open(path)
  expect(foreign).toEqual([])
})

test('the first load has at most 150 KB of script, compressed', async ({ page, open, gateway }) => {
  await open('/')
  await page.waitForLoadState('networkidle')
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map((entry) => entry.name)
      .filter((name) => name.endsWith('.js')),
  )
  const { gzipSync } = await import('node:zlib')
  let bytes = 0
  for (const script of scripts) bytes += gzipSync(await (await fetch(script)).text()).length
  expect(scripts.every((script) => script.startsWith(gateway.address))).toBe(true)
  expect(bytes).toBeLessThan(150 * 1024)
})
