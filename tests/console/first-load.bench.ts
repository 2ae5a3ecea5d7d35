import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Browser, Cookie } from '@playwright/test'
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
  done: () => void,
): Promise<number> {
  const context = await browser.newContext()
  await context.addCookies(cookies)
  const page = await context.newPage()
  await page.addInitScript(done)
  await page.goto(url, { waitUntil: 'commit' })
  const time = await page.waitForFunction(() => performance.getEntriesByName('done')[0]?.startTime)
  const found = await time.jsonValue()
  await context.close()
  return found ?? Number.NaN
}

// What follows runs in the page, before anything of it: times are its own, without those of the
// connection through which it is asked for them.

/** Marks when the page's heading is there and nothing of it is still on its way. */
function shown(): void {
  const look = (): void => {
    const isShown = document.querySelector('h1') && !document.querySelector('.skeleton, [aria-busy="true"]')
    if (isShown) performance.mark('done')
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}

/** Presses the navigation as soon as it is there, and marks when the other page shows itself. */
function answered(): void {
  const press = (): void => {
    const links = [...document.querySelectorAll<HTMLElement>('nav a')]
    const link = links.find((each) => each.textContent.trim() === 'API Keys')
    link?.click()
    requestAnimationFrame(link ? look : press)
  }
  const look = (): void => {
    const isThere = document.querySelector('h1')?.textContent.trim() === 'API Keys'
    if (isThere && location.pathname === '/config/api-keys') performance.mark('done')
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(press)
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
"Answered": a press on its navigation, done in the frame in which the link came, has brought up the other
page's heading. The median of that is to be at most ${BOUND}.

${new Date().toISOString()}; ${build} build; Chromium ${version}; ${machine}

| page | shown | answered |
|---|---:|---:|
${lines.join('\n')}
`
}
