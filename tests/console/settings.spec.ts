import { confirm, dialog, effect, expectNotice, expectRefusal, row, submit } from './support/acts.ts'
import { expect, test } from './support/fixtures.ts'

test('a member finds the address, makes a key, and copies a set-up that works', async ({
  page,
  open,
  gateway,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await open('/settings/my-models', 'user')
  await expect(page.getByText(`${gateway.address}/api/llm-gateway/v1`, { exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'Create key' }).first().click()
  await dialog(page).getByLabel('Name').fill('laptop')
  await expect(effect(page)).toContainText('Whoever holds it calls models as you')
  await dialog(page).getByRole('button', { name: 'Create key' }).click()
  const key = (await dialog(page).locator('code').textContent()) ?? ''
  await dialog(page).getByRole('button', { name: 'Copy' }).click()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(key)
  await submit(page, 'I have kept it')
  expect(await gateway.chat('sandbox-small', 'Say hello', { key })).toBe(200)

  await page.getByLabel('Model in the examples').selectOption('sandbox-small')
  for (const program of [
    'Claude Code',
    'Claude Code (subscription)',
    'Cursor',
    'OpenAI SDK (Python)',
    'OpenAI SDK (TypeScript)',
    'Anthropic SDK',
    'LangChain',
    'curl',
  ]) {
    await page.getByRole('tab', { name: program, exact: true }).click()
    await expect(page.getByRole('tabpanel')).toContainText(gateway.address)
  }
  await expect(page.getByRole('tabpanel')).toContainText('"model": "sandbox-small"')

  await row(page, 'laptop').getByRole('button', { name: 'Revoke laptop' }).click()
  await confirm(page, 'Revoke key')
  expect(await gateway.chat('sandbox-small', 'Say hello', { key })).toBe(401)
})

test('the models of My Models are searched, and tried in the playground', async ({ page, open }) => {
  await open('/settings/my-models', 'user')
  await page.getByRole('searchbox', { name: 'Search models' }).fill('small')
  await expect(row(page, 'sandbox-small')).toBeVisible()
  await expect(row(page, 'sandbox-large')).toHaveCount(0)
  await row(page, 'sandbox-small').getByRole('link', { name: 'Try' }).click()
  await expect(page.getByLabel('Model', { exact: true })).toHaveValue('sandbox-small')
})

test('people are searched by the gateway', async ({ page, open, gateway }) => {
  await gateway.api('GET', '/user/models', undefined, 'user')
  await open('/settings/users')
  await expect(row(page, /ada@example.com/)).toBeVisible()
  await page.getByRole('searchbox', { name: 'Search users' }).fill('UMA@')
  await expect(row(page, /ada@example.com/)).toHaveCount(0)
  await expect(row(page, /uma@example.com/)).toBeVisible()
  await page.getByRole('searchbox', { name: 'Search users' }).fill('no%one')
  await expect(page.getByText('Nothing matches “no%one”.')).toBeVisible()
})

test('the teams of a person are set, and given back to the identity provider', async ({
  page,
  open,
  gateway,
}) => {
  await gateway.api('GET', '/user/models', undefined, 'user')
  await open('/settings/users')
  await row(page, /uma@example.com/)
    .getByRole('button', { name: 'Teams' })
    .click()
  await dialog(page).getByLabel('Set here').check()
  await dialog(page).getByLabel('Teams', { exact: true }).fill('research, support')
  await expect(effect(page)).toContainText('uma@example.com is in research and support')
  await submit(page, 'Save')
  await expect(row(page, /uma@example.com/)).toContainText('research, support')
  await row(page, /uma@example.com/)
    .getByRole('button', { name: 'Teams' })
    .click()
  await dialog(page).getByLabel('As the identity provider says').check()
  await submit(page, 'Save')
  await expect(row(page, /uma@example.com/)).not.toContainText('set here')
})

test('a service account is shown its secret once, and is deleted; its name is its own', async ({
  page,
  open,
}) => {
  await open('/settings/service-accounts')
  await page.getByRole('button', { name: 'New service account' }).first().click()
  await dialog(page).getByLabel('Name').fill('terraform-test')
  await expect(effect(page)).toContainText('may change everything in this organization')
  await dialog(page).getByRole('button', { name: 'Create service account' }).click()
  await expect(page.getByText('Shown this once')).toBeVisible()
  const secret = (await dialog(page).locator('code').last().textContent()) ?? ''
  await submit(page, 'I have kept it')
  expect(secret.length).toBeGreaterThan(20)
  expect(await page.content()).not.toContain(secret)

  await page.getByRole('button', { name: 'New service account' }).first().click()
  await dialog(page).getByLabel('Name').fill('terraform-test')
  await dialog(page).getByRole('button', { name: 'Create service account' }).click()
  await expectRefusal(page, /terraform-test|name/)
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Delete terraform-test' }).click()
  await confirm(page, 'Delete service account')
  await expect(row(page, /terraform-test/)).toHaveCount(0)
})

test('a webhook is made with its secret shown once, changed, switched off and deleted', async ({
  page,
  open,
}) => {
  await open('/settings/webhooks')
  await page.getByRole('button', { name: 'New webhook' }).first().click()
  await dialog(page).getByLabel('Name').fill('pager')
  await dialog(page).getByLabel('Address').fill('https://hooks.example.com/pager')
  await dialog(page).getByLabel('A budget reaches a threshold').uncheck()
  await expect(effect(page)).toContainText('a signed message is posted to https://hooks.example.com/pager')
  await dialog(page).getByRole('button', { name: 'Create webhook' }).click()
  await expect(page.getByText('Signing secret')).toBeVisible()
  await submit(page, 'I have kept it')

  await page.getByRole('button', { name: 'Edit pager' }).click()
  await dialog(page).getByLabel('Name').fill('pager-2')
  await submit(page, 'Save')
  await row(page, /pager-2/)
    .getByRole('switch')
    .click()
  await expectNotice(page, 'pager-2 is told nothing.')
  await page.getByRole('button', { name: 'Delete pager-2' }).click()
  await confirm(page, 'Delete webhook')
  await expect(row(page, /pager-2/)).toHaveCount(0)
})

test('a webhook whose name is taken is refused', async ({ page, open, gateway }) => {
  const { id } = await gateway.api<{ id: string }>('POST', '/admin/alert-webhooks', {
    name: 'taken',
    url: 'https://hooks.example.com/a',
    events: ['route_ejected'],
  })
  await open('/settings/webhooks')
  await page.getByRole('button', { name: 'New webhook' }).first().click()
  await dialog(page).getByLabel('Name').fill('taken')
  await dialog(page).getByLabel('Address').fill('https://hooks.example.com/b')
  await dialog(page).getByRole('button', { name: 'Create webhook' }).click()
  await expectRefusal(page, /taken|name/)
  await gateway.api('DELETE', `/admin/alert-webhooks/${id}`)
})
