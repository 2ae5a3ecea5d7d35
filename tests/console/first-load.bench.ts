import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Browser, Cookie, Page } from '@playwright/test'
import { expect, test } from './support/fixtures.ts'
import { furnish } from './support/scene.ts'

const ROUNDS = 11
/** What the console promises, milliseconds. */
const BOUND = 1000
const PAGES = ['/', '/config/routes', '/reporting/usage', '/playground']

test('the console is measured', async ({ browser, page, open, gateway }) => {
  await furnish(gateway)
  await open('/')
  const cookies = await page.context().cookies()
  const lines: string[] = []
  const medians: number[] = []
  for (const at of PAGES) {
    const [toShow, toAnswer]: [number[], number[]] = [[], []]
    for (let round = 0; round < ROUNDS; round++) {
      toShow.push(await firstLoad(browser, cookies, gateway.address + at, shown))
      toAnswer.push(await firstLoad(browser, cookies, gateway.address + at, answered))
    }
    lines.push(`| \`${at}\` | ${spread(toShow)} | ${spread(toAnswer)} |`)
    medians.push(partOf(toAnswer, 0.5))
  }
  const figures = report(browser.version(), lines)
  process.stdout.write(figures)
  if (process.env.FIGURES) writeFileSync(process.env.FIGURES, figures)
  expect(Math.max(...medians), 'the latest of the pages').toBeLessThanOrEqual(BOUND)
})

/** Milliseconds until `done`, for somebody who is signed in, in a browser with an empty cache. */
async function firstLoad(
  browser: Browser,
  cookies: Cookie[],
  url: string,
  done: (page: Page) => Promise<unknown>,
): Promise<number> {
  const context = await browser.newContext()
  await context.addCookies(cookies)
  const page = await context.newPage()
  await page.goto(url, { waitUntil: 'commit' })
  await done(page)
  const time = await page.evaluate(() => performance.now())
  await context.close()
  return time
}

/** The page's heading is there, and nothing of it is still on its way. */
async function shown(page: Page): Promise<void> {
  await page.waitForFunction(
    () => document.querySelector('h1') && !document.querySelector('.skeleton, [aria-busy="true"]'),
  )
}

/** The page has answered a press on its navigation, begun as soon as it could be. */
async function answered(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'API Keys', exact: true }).click()
  await page.waitForFunction(() => location.pathname === '/config/api-keys')
}

function partOf(times: number[], part: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN
}

function spread(times: number[]): string {
  const [median, least, most] = [0.5, 0, 1].map((part) => partOf(times, part).toFixed(0))
  return `${median} (${least}–${most})`
}

function report(version: string, lines: string[]): string {
  const build = path.basename(path.dirname(process.env.TURNPIKE_BIN ?? ''))
  const machine = `${os.cpus().length} x ${os.cpus()[0]?.model ?? 'unknown'}, load ${os.loadavg()[0]?.toFixed(2)}`
  return `# The console's first load

Made by \`make bench-console\`: milliseconds from the start of a navigation, on loopback, in a browser
with an empty cache; the median of ${ROUNDS} and their range. "Shown": nothing of the page is on its way.
"Answered": it has reacted to a press on its navigation, begun as soon as the link could be pressed. The
median of that is to be at most ${BOUND}.

${new Date().toISOString()}; ${build} build; Chromium ${version}; ${machine}

| page | shown | answered |
|---|---:|---:|
${lines.join('\n')}
`
}
