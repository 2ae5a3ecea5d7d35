import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from '@playwright/test'
import { expect } from './fixtures.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  id: string
  impact: string | null
  nodes: { html: string; failureSummary?: string }[]
}

interface Axe {
  run: (context: Document, options: object) => Promise<{ violations: Violation[] }>
}

/** Nothing on the page hinders people who use a keyboard, a screen reader or strong contrast. */
export async function expectAccessible(page: Page): Promise<void> {
  await settled(page)
  await page.evaluate(AXE)
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const { violations } = await axe.run(document, {
      resultTypes: ['violations'],
    })
    return violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.slice(0, 3).map((node) => node.html),
    }))
  })
  const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(serious, JSON.stringify(serious, null, 2)).toEqual([])
}

/** Movements have ended: colours in the middle of one would be measured. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every(
        (animation) =>
          animation.playState !== 'running' || animation.effect?.getTiming().iterations === Infinity,
      ),
  )
}
