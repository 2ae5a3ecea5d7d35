import type { Locator, Page } from '@playwright/test'
import { expect } from './fixtures.ts'

/** The row of a table that is about `name`. */
export function row(page: Page, name: string | RegExp): Locator {
  return page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) })
}

/** The dialog that is open. */
export function dialog(page: Page): Locator {
  return page.getByRole('dialog')
}

/** The sentence in which a form says what it does. */
export function effect(page: Page): Locator {
  return dialog(page).getByRole('status', { name: 'What this does' })
}

/** Presses the button of a form that does it, and waits until it is done. */
export async function submit(page: Page, name: string): Promise<void> {
  await dialog(page).getByRole('button', { name, exact: true }).click()
  await expect(dialog(page)).toBeHidden()
}

/** Asked whether one is sure, one is. */
export async function confirm(page: Page, name: string): Promise<void> {
  await submit(page, name)
}

/** A refusal stands in the form, in words and with the request's id. */
export async function expectRefusal(page: Page, words: RegExp): Promise<void> {
  const alert = dialog(page).getByRole('alert')
  await expect(alert).toContainText(words)
  await expect(alert).toContainText(/Request [A-Za-z0-9._-]{8,}/)
}

/** A choice of a list in which options are more than their names. */
export async function expectNotice(page: Page, words: string | RegExp): Promise<void> {
  await expect(page.locator('[popover] .toast').filter({ hasText: words }).first()).toBeVisible()
}
