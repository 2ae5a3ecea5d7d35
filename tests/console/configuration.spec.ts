import type { Locator } from '@playwright/test'
import { confirm, dialog, effect, expectNotice, expectRefusal, row, submit } from './support/acts.ts'
import { expect, test } from './support/fixtures.ts'

test('a provider is added by its vendor, its health told, changed, switched off and deleted', async ({
  page,
  open,
}) => {
  await open('/config/providers')
  await page.getByRole('button', { name: 'Add provider' }).first().click()
  await dialog(page).getByRole('searchbox').fill('custom')
  await dialog(page)
    .getByRole('button', { name: /Custom/ })
    .click()
  await dialog(page).getByLabel('Name').fill('attic')
  await expect(dialog(page).getByText('Still missing: base URL.')).toBeVisible()
  await dialog(page).getByLabel('Base URL').fill('http://127.0.0.1:9')
  await dialog(page).getByLabel('Another model').fill('llama-test')
  await dialog(page).getByRole('button', { name: 'Add', exact: true }).click()
  await expect(effect(page)).toContainText(
    'Requests to attic reach Custom at http://127.0.0.1:9 with a credential of its own.',
  )
  await expect(effect(page)).toContainText('llama-test can be called at once, as attic/llama-test.')
  await submit(page, 'Add provider')
  await expect(row(page, /attic/)).toContainText('Unhealthy')

  await row(page, /attic/).getByRole('button', { name: 'Check now' }).click()
  await expectNotice(page, /attic is unhealthy/)

  await row(page, /attic/).getByRole('button', { name: 'Edit attic' }).click()
  await dialog(page).getByLabel('Name').fill('cellar')
  await dialog(page).getByLabel('Stop using it while its health check fails').uncheck()
  await submit(page, 'Save')
  await expect(row(page, /cellar/)).toContainText('Unhealthy, used')

  await row(page, /cellar/)
    .getByRole('switch')
    .click()
  await expectNotice(page, 'cellar takes no more requests.')
  await expect(row(page, /cellar/)).toContainText('Off')

  await row(page, /cellar/)
    .getByRole('button', { name: 'Delete cellar' })
    .click()
  await confirm(page, 'Delete provider')
  await expect(row(page, /cellar/)).toHaveCount(0)
})

test('a provider whose name is taken is refused in words, with the request', async ({ page, open }) => {
  await open('/config/providers')
  await page.getByRole('button', { name: 'Add provider' }).first().click()
  await dialog(page)
    .getByRole('button', { name: /Sandbox/ })
    .click()
  await dialog(page).getByLabel('Name').fill('sandbox')
  await dialog(page).getByRole('button', { name: 'Add provider' }).click()
  await expectRefusal(page, /sandbox/)
})

test('a credential is added, rotated and deleted, and its secret is on no page and in no answer', async ({
  page,
  open,
}) => {
  const canary = `sk-canary-${Date.now()}`
  const told: string[] = []
  page.on('response', async (response) => {
    const body = await response.text().catch(() => '')
    if (body.includes(canary)) told.push(response.url())
  })
  await open('/config/credentials')
  await page.getByRole('button', { name: 'Add credential' }).first().click()
  await dialog(page)
    .getByRole('button', { name: /^.*OpenAI.*API key/ })
    .first()
    .click()
  await dialog(page).getByLabel('Name').fill('team account')
  await expect(dialog(page).getByText('Still missing: API key.')).toBeVisible()
  await dialog(page).getByLabel('API key').fill(canary)
  await expect(effect(page)).toContainText('The secret is sealed and never shown again.')
  await submit(page, 'Add credential')

  await row(page, 'team account').getByRole('button', { name: 'Rotate' }).click()
  await expect(dialog(page).getByLabel('API key')).toHaveValue('')
  await expect(effect(page)).toContainText('The stored secret stays.')
  await dialog(page).getByLabel('API key').fill(`${canary}-2`)
  await expect(effect(page)).toContainText('The secret of team account is replaced')
  await submit(page, 'Save')

  for (const at of ['/config/credentials', '/config/providers', '/reporting/audit']) {
    await open(at)
    await page.waitForLoadState('networkidle')
    expect(await page.content()).not.toContain(canary)
  }
  expect(told).toEqual([])

  await open('/config/credentials')
  await row(page, 'team account').getByRole('button', { name: 'Delete team account' }).click()
  await confirm(page, 'Delete credential')
  await expect(row(page, 'team account')).toHaveCount(0)
})

test('credentials of AWS show their trust policy, or say what is missing for one', async ({ page, open }) => {
  await open('/config/credentials')
  await page.getByRole('button', { name: 'Add credential' }).first().click()
  await dialog(page)
    .getByRole('button', { name: /Amazon Bedrock \(Claude\)/ })
    .click()
  await expect(dialog(page).getByText('The gateway has no identity at AWS yet')).toBeVisible()
  await dialog(page).getByLabel('AWS region').fill('us-east-1')
  await dialog(page).getByLabel('IAM role ARN').fill('arn:aws:iam::123456789012:role/turnpike')
  await expect(dialog(page).getByLabel('External ID')).toHaveValue(/^turnpike-[0-9a-f]{32}$/)
  await dialog(page).getByRole('button', { name: 'Validate role access' }).click()
  await expect(dialog(page).getByRole('alert')).toBeVisible()
  await dialog(page)
    .getByRole('radio', { name: /Static AWS keys/ })
    .check()
  await expect(dialog(page).getByLabel('AWS secret access key')).toHaveAttribute('type', 'password')
})

test('models are enabled, switched off and removed', async ({ page, open, gateway }) => {
  await open('/config/models')
  await page.getByRole('button', { name: 'Add models' }).first().click()
  await dialog(page).getByLabel('Provider', { exact: true }).selectOption({ label: 'sandbox' })
  await dialog(page).getByLabel('Another model').fill('sandbox-slow-copy')
  await dialog(page).getByLabel('Another model').press('Enter')
  await expect(effect(page)).toContainText('sandbox/sandbox-slow-copy')
  await submit(page, 'Enable')

  const added = row(page, /sandbox-slow-copy/)
  await expect(added.getByRole('switch')).toHaveAttribute('aria-checked', 'true')
  await added.getByRole('switch').click()
  await expectNotice(page, /can no longer be called/)
  expect(await gateway.chat('sandbox-slow-copy', 'Are you there?')).toBe(404)

  await added.getByRole('button', { name: /^Remove/ }).click()
  await confirm(page, 'Remove model')
  await expect(added).toHaveCount(0)
})

test('a price is set, scheduled, cancelled, archived and restored', async ({ page, open }) => {
  await open('/config/pricing')
  await page.getByRole('button', { name: 'New price' }).first().click()
  await dialog(page).getByLabel('Upstream model').fill('aurora-*')
  await dialog(page).getByLabel('Input, USD per million').fill('2.5')
  await expect(dialog(page).getByText('It needs both prices.')).toBeVisible()
  await dialog(page).getByLabel('Output, USD per million').fill('10')
  await expect(effect(page)).toContainText(
    'models that begin with aurora- cost $2.50 as input and $10.00 as output',
  )
  await submit(page, 'Set price')
  await expect(row(page, /aurora/)).toContainText('$10.00')

  await row(page, /aurora/)
    .getByRole('button', { name: 'Change the price of aurora-*' })
    .click()
  await dialog(page).getByLabel('Output, USD per million').fill('8')
  await dialog(page).getByLabel('From', { exact: true }).selectOption({ label: 'A time to come…' })
  await dialog(page).getByLabel('Takes effect').fill('2099-01-01T00:00')
  await submit(page, 'Schedule')
  await expect(row(page, /aurora/)).toContainText('changes')

  await row(page, /aurora/)
    .getByRole('button', { name: 'History of aurora-*' })
    .click()
  await expect(dialog(page).getByText('to come')).toBeVisible()
  await dialog(page).getByRole('button', { name: 'Cancel it' }).click()
  await expect(dialog(page).getByText('to come')).toBeHidden()
  await expect(dialog(page).getByText('in force')).toBeVisible()
  await page.keyboard.press('Escape')

  await row(page, /aurora/)
    .getByRole('button', { name: 'Archive aurora-*' })
    .click()
  await confirm(page, 'Archive price')
  await expect(row(page, /aurora/)).toHaveCount(0)
  await page.getByText('Archived', { exact: true }).click()
  await row(page, /aurora/)
    .getByRole('button', { name: 'Restore' })
    .click()
  await expectNotice(page, 'The price of aurora-* is in force again.')
})

test('defaults are looked at before they are imported', async ({ page, open }) => {
  await open('/config/pricing')
  await page.getByRole('button', { name: 'Import defaults' }).first().click()
  await dialog(page).getByLabel('Vendor').selectOption('anthropic')
  await dialog(page).getByRole('searchbox').fill('claude-opus-4-5')
  const boxes = dialog(page).getByRole('checkbox')
  await expect(boxes.first()).toBeVisible()
  const all = await boxes.count()
  expect(all).toBeGreaterThan(1)
  await boxes.first().uncheck()
  await submit(page, `Import ${all - 1}`)
  await expectNotice(page, `${all - 1} price`)
  await expect(row(page, /claude-opus-4-5/)).toHaveCount(all - 1)
})

test('a route is made of entries, reordered by keyboard and by dragging, and deleted', async ({
  page,
  open,
  gateway,
}) => {
  await open('/config/routes')
  await page.getByRole('button', { name: 'New route' }).first().click()
  await dialog(page).getByLabel('Alias', { exact: true }).fill('helper')
  await dialog(page).getByLabel('Provider', { exact: true }).selectOption({ label: 'sandbox' })
  await dialog(page).getByLabel('Upstream model').fill('sandbox-down')
  await dialog(page).getByRole('button', { name: 'Add entry' }).click()
  await dialog(page).getByLabel('Provider', { exact: true }).nth(1).selectOption({ label: 'sandbox' })
  await dialog(page).getByLabel('Upstream model').nth(1).fill('sandbox-small')
  const way = dialog(page).getByRole('list', {
    name: 'The way of a request for helper',
  })
  await expect(way).toContainText(/sandbox-down.*sandbox-small.*502/s)
  await expect(effect(page)).toContainText(
    'Requests for helper try sandbox-down on sandbox, if that fails sandbox-small on sandbox',
  )
  await submit(page, 'Create route')
  expect(await gateway.chat('helper', 'Are you there?')).toBe(200)

  await page.getByRole('button', { name: 'Edit helper' }).click()
  await dialog(page)
    .getByRole('button', { name: /^Move sandbox-small/ })
    .press('ArrowUp')
  await expect(way).toContainText(/sandbox-small.*sandbox-down/s)
  await expect(dialog(page).getByRole('button', { name: /^Move sandbox-small/ })).toBeFocused()
  await submit(page, 'Save')
  await expect(row(page, /^helper/)).toContainText(/sandbox\/sandbox-small\s+→\s+sandbox\/sandbox-down/)

  await page.getByRole('button', { name: 'Edit helper' }).click()
  const first = dialog(page).getByRole('button', { name: /^Move sandbox-small/ })
  const second = dialog(page).getByRole('button', { name: /^Move sandbox-down/ })
  await first.hover()
  await page.mouse.down()
  const below = await placeOf(second)
  await page.mouse.move(below.x, below.y + 60, { steps: 12 })
  await expect(way).toContainText(/sandbox-down.*sandbox-small/s)
  const above = await placeOf(second)
  await page.mouse.move(above.x, above.y - 60, { steps: 12 })
  await expect(way).toContainText(/sandbox-small.*sandbox-down/s)
  await page.mouse.move(below.x, below.y + 60, { steps: 12 })
  await page.mouse.up()
  await expect(way).toContainText(/sandbox-down.*sandbox-small/s)
  await submit(page, 'Save')

  await page.getByRole('button', { name: 'Delete helper' }).click()
  await confirm(page, 'Delete route')
  await expect(row(page, /^helper/)).toHaveCount(0)
  expect(await gateway.chat('helper', 'Are you there?')).toBe(404)
})

test('entries of equal rank are one step of the way, and a model that is not enabled is refused', async ({
  page,
  open,
}) => {
  await open('/config/routes')
  await page.getByRole('button', { name: 'New route' }).first().click()
  await dialog(page).getByLabel('Alias', { exact: true }).fill('twins')
  await dialog(page).getByLabel('Provider', { exact: true }).selectOption({ label: 'sandbox' })
  await dialog(page).getByLabel('Upstream model').fill('sandbox-large')
  await dialog(page).getByRole('button', { name: 'Add entry' }).click()
  await dialog(page).getByLabel('Provider', { exact: true }).nth(1).selectOption({ label: 'sandbox' })
  await dialog(page).getByLabel('Upstream model').nth(1).fill('never-enabled')
  await dialog(page).getByText('Retries, limits and switches').nth(1).click()
  await dialog(page).getByLabel('As one with the entry above').check()
  await expect(effect(page)).toContainText(
    'try the healthier and cheaper of sandbox-large on sandbox and never-enabled on sandbox',
  )
  await dialog(page).getByRole('button', { name: 'Create route' }).click()
  await expectRefusal(page, /the model is not enabled/)
})

test('a key is shown once, works, and is revoked', async ({ page, open, gateway }) => {
  await open('/config/api-keys')
  await page.getByRole('button', { name: 'Create key' }).first().click()
  await dialog(page).getByLabel('Name').fill('batch jobs')
  await dialog(page)
    .getByRole('radio', { name: /A group/ })
    .check()
  await dialog(page)
    .getByRole('textbox', { name: 'Group' })
    .or(dialog(page).getByRole('combobox', { name: 'Group' }))
    .fill('engineering')
  await dialog(page).getByLabel('Expires').selectOption({ label: 'In 30 days' })
  await expect(effect(page)).toContainText('as one of the group engineering')
  await dialog(page).getByRole('button', { name: 'Create key' }).click()
  await expect(page.getByText('Shown this once')).toBeVisible()
  const key = (await dialog(page).locator('code').textContent()) ?? ''
  expect(key).toMatch(/^bd-/)
  await submit(page, 'I have kept it')
  expect(await page.content()).not.toContain(key)
  await expect(row(page, 'batch jobs')).toContainText('Group engineering')
  expect(await gateway.chat('sandbox-small', 'Say hello', { key })).toBe(200)

  await row(page, 'batch jobs').getByRole('button', { name: 'Revoke batch jobs' }).click()
  await confirm(page, 'Revoke key')
  await expect(row(page, 'batch jobs')).toHaveCount(0)
  await page.getByLabel('Revoked and expired too').check()
  await expect(row(page, 'batch jobs')).toContainText('Revoked')
  expect(await gateway.chat('sandbox-small', 'Say hello', { key })).toBe(401)
})

test('a route that fails is shown as passed over, with its reason and a countdown, and is reset', async ({
  page,
  open,
  gateway,
}) => {
  const [sandbox] = await gateway.api<{ id: string }[]>('GET', '/admin/providers')
  let isReset = false
  // What the gateway says of a route that it passes over; failures that are real belong to its own tests.
  await page.route('**/admin/llm-gw/route-health', (route) =>
    route.fulfill({ json: { routes: [failing(sandbox?.id ?? '', isReset)] } }),
  )
  await open('/config/route-health')
  const down = row(page, 'sandbox-down')
  await expect(down).toContainText('Passed over')
  await expect(down).toContainText('Too many failures')
  await expect(down.getByRole('timer')).toHaveText(/^1:0\d$/)
  await down.getByRole('button', { name: /^What happened/ }).click()
  await expect(dialog(page)).toContainText('Too many failures')
  await page.keyboard.press('Escape')
  isReset = true
  await down.getByRole('button', { name: 'Reset' }).click()
  await expectNotice(page, /takes requests again/)
  await expect(down).toContainText('Healthy')
})

function failing(provider: string, isReset: boolean): object {
  return {
    provider_id: provider,
    provider_name: 'sandbox',
    model_provider: 'sandbox',
    upstream_model: 'sandbox-down',
    state: isReset ? 'healthy' : 'ejected',
    cooldown_reason: isReset ? null : 'rolling_failures',
    consecutive_failures: isReset ? 0 : 10,
    multiplier: 2,
    eject_remaining_secs: isReset ? null : 65,
    in_flight: 0,
    concurrency_cap: null,
    recent_transitions: [
      {
        from: 'healthy',
        to: 'ejected',
        reason: 'rolling_failures',
        age_secs: 5,
        window_secs: 70,
      },
    ],
  }
}

test('keys are searched and paged by the gateway', async ({ page, open, gateway }) => {
  test.setTimeout(60_000)
  const names = Array.from({ length: 52 }, (_, n) => `bulk ${String(n).padStart(2, '0')}`)
  const made = await Promise.all(
    names.map((name) => gateway.api<{ id: string }>('POST', '/admin/api-keys', { name })),
  )
  await open('/config/api-keys')
  const pages = page.getByRole('navigation', { name: 'Pages' })
  await expect(page.getByRole('row')).toHaveCount(51)
  // The oldest of them all.
  await expect(row(page, 'quickstart')).toHaveCount(0)
  await pages.getByRole('button', { name: 'Next page' }).click()
  await expect(pages).toContainText('Page 2')
  await expect(row(page, 'quickstart')).toBeVisible()

  const asked = page.waitForRequest((request) => new URL(request.url()).searchParams.get('q') === 'BULK 07')
  await page.getByRole('searchbox', { name: 'Search keys' }).pressSequentially('BULK 07')
  await asked
  await expect(page.getByRole('row')).toHaveCount(2)
  await expect(row(page, 'bulk 07')).toBeVisible()
  await expect(page.getByRole('status').filter({ hasText: '1 key' })).toBeVisible()
  await row(page, 'bulk 07').getByRole('button', { name: 'Revoke bulk 07' }).click()
  await confirm(page, 'Revoke key')
  await expect(page.getByText('Nothing matches “BULK 07”.')).toBeVisible()
  await page.getByLabel('Revoked and expired too').check()
  await expect(row(page, 'bulk 07')).toContainText('Revoked')
  // Other tests share the gateway, and look for their keys on the first page.
  await Promise.all(made.map(({ id }) => gateway.api('DELETE', `/admin/api-keys/${id}`)))
})

test('models and routes are searched, sorted and paged by the gateway', async ({ page, open, gateway }) => {
  test.setTimeout(60_000)
  const models = Array.from({ length: 52 }, (_, n) => `bulk-${n + 1}`)
  const provider = await gateway.api<{ id: string }>('POST', '/admin/providers', {
    name: 'warehouse',
    model_provider: 'custom',
    base_url: 'http://127.0.0.1:9',
    api_key: 'sk-none',
    models,
  })
  const pages = page.getByRole('navigation', { name: 'Pages' })

  await open('/config/models')
  await page.getByLabel('Provider').selectOption({ label: 'warehouse' })
  await expect(page.getByRole('row')).toHaveCount(51)
  await expect(page.getByRole('status').filter({ hasText: '52 models' })).toBeVisible()
  // As people count: bulk-9 before bulk-10.
  await expect(page.getByRole('rowheader').nth(8)).toContainText('bulk-9')
  await pages.getByRole('button', { name: 'Next page' }).click()
  await expect(page.getByRole('rowheader')).toContainText([/bulk-51/, /bulk-52/])
  await page.getByRole('columnheader').getByRole('button', { name: 'Model' }).click()
  await page.getByRole('columnheader').getByRole('button', { name: 'Model' }).click()
  await expect(page.getByRole('rowheader').first()).toContainText('bulk-52')

  await open('/config/routes')
  await expect(row(page, /^bulk-1$/)).toHaveCount(0)
  await page.getByLabel('Models without an alias too').check()
  await page.getByRole('searchbox', { name: 'Search aliases' }).fill('WAREHOUSE/bulk-5')
  await expect(page.getByRole('status').filter({ hasText: '4 aliases' })).toBeVisible()
  await expect(page.getByRole('rowheader')).toContainText([/bulk-5/, /bulk-50/, /bulk-51/, /bulk-52/])

  await open('/config/providers')
  await page.getByRole('searchbox', { name: 'Search providers' }).fill('wareh')
  await expect(page.getByRole('row')).toHaveCount(2)
  await row(page, 'warehouse').getByRole('button', { name: 'Delete warehouse' }).click()
  await confirm(page, 'Delete provider')
  await expect(page.getByText('Nothing matches “wareh”.')).toBeVisible()
  await expect(gateway.api('GET', `/admin/providers/${provider.id}`)).rejects.toThrow()
})

test('prices are sorted and searched by the gateway, archived ones too', async ({ page, open, gateway }) => {
  const rates = { output_cost_per_million_tokens: 1 }
  for (const [model_pattern, input_cost_per_million_tokens] of [
    ['meadow-cheap', 1],
    ['meadow-dear', 900],
  ] as const) {
    await gateway.api('POST', '/admin/model-pricing', {
      model_pattern,
      input_cost_per_million_tokens,
      ...rates,
    })
  }
  await open('/config/pricing')
  await page.getByRole('searchbox', { name: 'Search rules' }).fill('MEADOW')
  await expect(page.getByRole('rowheader')).toContainText([/meadow-cheap/, /meadow-dear/])
  const byInput = page.getByRole('columnheader').getByRole('button', { name: 'Input' })
  await byInput.click()
  await byInput.click()
  await expect(page.getByRole('columnheader', { name: 'Input' })).toHaveAttribute('aria-sort', 'descending')
  await expect(page.getByRole('rowheader')).toContainText([/meadow-dear/, /meadow-cheap/])
  await page.getByRole('button', { name: 'Archive meadow-dear' }).click()
  await confirm(page, 'Archive price')
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByText('Archived', { exact: true }).click()
  await expect(page.getByRole('rowheader')).toContainText([/meadow-dear/])
})

test('credentials are searched and sorted by the gateway', async ({ page, open, gateway }) => {
  const admin = gateway.caller(gateway.token('admin'))
  const made: string[] = []
  for (const [name, model_provider] of [
    ['meadow-10', 'openai'],
    ['meadow-9', 'together'],
  ]) {
    const credential = { name, model_provider, api_key: 'sk-none' }
    made.push((await admin<{ id: string }>('POST', '/admin/connections', credential)).id)
  }
  const provider = { name: 'pond', model_provider: 'openai', connection_id: made[0] }
  const { id } = await admin<{ id: string }>('POST', '/admin/providers', provider)
  await open('/config/credentials')
  await page.getByRole('searchbox', { name: 'Search credentials' }).fill('MEADOW')
  await expect(page.getByRole('rowheader')).toContainText([/meadow-9/, /meadow-10/])
  await expect(row(page, 'meadow-10')).toContainText('pond')
  const byUse = page.getByRole('columnheader').getByRole('button', { name: 'Used by' })
  await byUse.click()
  await byUse.click()
  await expect(page.getByRole('rowheader')).toContainText([/meadow-10/, /meadow-9/])
  await page.getByRole('searchbox', { name: 'Search credentials' }).fill('meadow together')
  await expect(page.getByRole('rowheader')).toContainText([/meadow-9/])

  // Who uses one is said where it is known alone.
  const providers = /\/admin\/providers$/
  await page.route(providers, (route) => route.abort())
  await page.reload()
  await expect(row(page, 'meadow-10')).toContainText('—')
  await expect(row(page, 'meadow-10')).not.toContainText('0 providers')
  await page.getByRole('button', { name: 'Delete meadow-10' }).click()
  await expect(dialog(page)).toContainText('Its secret is destroyed, unless a provider uses it')
  await dialog(page).getByRole('button', { name: 'Cancel' }).click()
  await page.unroute(providers)
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect(row(page, 'meadow-10')).toContainText('pond')
  await expect(page.getByRole('button', { name: 'Try again' })).toHaveCount(0)

  // What changed meanwhile is known once one of them was saved.
  await admin('DELETE', `/admin/providers/${id}`)
  await row(page, 'meadow-9').getByRole('button', { name: 'Rotate' }).click()
  await submit(page, 'Save')
  await expect(row(page, 'meadow-10')).toContainText('0 providers')
  for (const each of made) await admin('DELETE', `/admin/connections/${each}`)
})

test('a key is made for a person who is looked for', async ({ page, open, gateway }) => {
  await gateway.api('GET', '/user/models', undefined, 'user')
  await open('/config/api-keys')
  await page.getByRole('button', { name: 'Create key' }).first().click()
  await dialog(page).getByLabel('Name').fill('for uma')
  await dialog(page)
    .getByRole('radio', { name: /A person/ })
    .check()
  await dialog(page).getByRole('combobox', { name: 'Person' }).fill('UMA@')
  await dialog(page).getByRole('option', { name: 'uma@example.com' }).click()
  await expect(effect(page)).toContainText('calls models as uma@example.com')
  await dialog(page).getByRole('button', { name: 'Create key' }).click()
  await submit(page, 'I have kept it')
  await expect(row(page, 'for uma')).toContainText('uma@example.com')
})

/** The middle of what is shown, in the window. */
async function placeOf(shown: Locator): Promise<{ x: number; y: number }> {
  const box = await shown.boundingBox()
  if (!box) throw new Error('it is not shown')
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}
