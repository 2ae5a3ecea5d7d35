import { dialog } from './support/acts.ts'
import { expectAccessible } from './support/axe.ts'
import { expect, test } from './support/fixtures.ts'

/** Forms by the page that they are on, and the button that opens them. */
const FORMS: [at: string, button: string][] = [
  ['/config/credentials', 'Add credential'],
  ['/config/providers', 'Add provider'],
  ['/config/providers', 'Edit sandbox'],
  ['/config/models', 'Add models'],
  ['/config/pricing', 'New price'],
  ['/config/pricing', 'Import defaults'],
  ['/config/routes', 'New route'],
  ['/config/routes', 'Edit sandbox-small'],
  ['/config/api-keys', 'Create key'],
  ['/config/api-keys', 'Revoke quickstart'],
  ['/controls/budgets', 'New budget'],
  ['/controls/rate-limits', 'New rate limit'],
  ['/controls/model-access', 'New policy'],
  ['/controls/smart-models', 'New smart model'],
  ['/settings/my-models', 'Create key'],
  ['/settings/service-accounts', 'New service account'],
  ['/settings/webhooks', 'New webhook'],
]

for (const theme of ['light', 'dark'] as const) {
  test.describe(`in the ${theme} theme`, () => {
    test.use({ colorScheme: theme })

    test('axe finds nothing serious in any form, and Escape closes it', async ({ page, open }) => {
      test.setTimeout(120_000)
      for (const [at, button] of FORMS) {
        await open(at)
        const opener = page.getByRole('button', { name: button, exact: true }).first()
        await opener.click()
        await expect(dialog(page)).toBeVisible()
        await page.waitForLoadState('networkidle')
        await expectAccessible(page)
        await page.keyboard.press('Escape')
        await expect(dialog(page)).toBeHidden()
        await expect(opener).toBeFocused()
      }
    })
  })
}
