import { readFileSync } from 'node:fs'
import { dialog, row } from './support/acts.ts'
import { expect, test } from './support/fixtures.ts'

test('a newcomer’s path: from the quickstart’s link to a streamed answer and its row in the report', async ({
  page,
  gateway,
}) => {
  await page.goto(gateway.firstLink)
  await expect(page.getByRole('heading', { level: 1, name: 'Overview' })).toBeVisible()
  await page.getByRole('link', { name: 'Try a model' }).click()
  await page.getByLabel('Model', { exact: true }).selectOption('sandbox-small')
  await page.getByLabel('Message').fill('What does a newcomer see?')
  await page.getByRole('button', { name: 'Send' }).click()
  await expect(page.getByText(/^You said: What does a newcomer see\?/)).toBeVisible()
  await expect(page.getByRole('heading', { name: 'What it took' })).toBeVisible()
  await expect(page.getByText('sandbox/sandbox-small')).toBeVisible()
  await expect(page.getByText('Whole answer')).toBeVisible()
  await page.getByRole('link', { name: 'See it in the requests' }).click()
  const newest = page.getByRole('row').nth(1)
  await expect(async () => {
    await page.getByRole('button', { name: 'Reload' }).click()
    await expect(newest).toContainText('sandbox-small', { timeout: 1000 })
    await expect(newest).toContainText('streamed', { timeout: 1000 })
  }).toPass()
})

test('the playground shows failover, goes on with the conversation, and gives the same as curl', async ({
  page,
  open,
  gateway,
}) => {
  const [sandbox] = await gateway.api<{ id: string; name: string }[]>('GET', '/admin/providers')
  const alias = {
    provider_id: sandbox?.id,
    model_alias: 'sturdy',
    priority: 0,
  }
  await gateway.api('POST', '/admin/model-mappings', {
    ...alias,
    upstream_model: 'sandbox-down',
  })
  await gateway.api('POST', '/admin/model-mappings', {
    ...alias,
    upstream_model: 'sandbox-small',
    priority: 1,
  })
  await open('/playground?model=sturdy')
  await page.getByLabel('System prompt').fill('Be brief.')
  await page.getByLabel('Message').fill('First')
  await page.getByLabel('Message').press('Enter')
  await expect(page.getByText(/^You said: First/)).toBeVisible()
  const trail = page.getByRole('listitem').filter({ hasText: 'sandbox/sandbox-down' })
  await expect(trail).toContainText('503')
  await expect(page.getByRole('region', { name: 'The same as curl' })).toContainText('"content": "Be brief."')
  await page.getByLabel('Message').fill('Second')
  await page.getByLabel('Message').press('Enter')
  await expect(page.getByText(/of this conversation/).nth(1)).toContainText('message 3')
  await page.getByRole('button', { name: 'New conversation' }).click()
  await expect(page.getByText(/^You said/)).toHaveCount(0)
})

test('the playground says in words why there is no answer, and stops when asked to', async ({
  page,
  open,
}) => {
  await open('/playground?model=sandbox-unauthorized')
  await page.getByLabel('Message').fill('Hello')
  await page.getByLabel('Message').press('Enter')
  const alert = page.getByRole('alert')
  await expect(alert).toContainText(/every route failed/i)
  await expect(alert).toContainText(/Request [0-9a-f]{8,}/)
  await page.getByLabel('Model', { exact: true }).selectOption('sandbox-slow')
  await page.getByLabel('Message').fill('Slowly, please')
  await page.getByLabel('Message').press('Enter')
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.getByText('You stopped it here.')).toBeVisible()
})

test('usage is divided, picked, followed to single requests, and exported', async ({
  page,
  open,
  gateway,
}) => {
  for (const model of ['sandbox-small', 'sandbox-small', 'sandbox-large', 'no-such-model'])
    await gateway.chat(model, 'Count me')
  await open('/reporting/usage?range=24h')
  await expect(async () => {
    await page.reload()
    await expect(row(page, 'sandbox-large')).toBeVisible({ timeout: 1500 })
  }).toPass()

  await page.getByRole('group', { name: 'Figure' }).getByText('Requests').click()
  await page.getByRole('group', { name: 'Divided by' }).getByText('Key').click()
  await expect(row(page, 'quickstart')).toBeVisible()
  await page.getByRole('group', { name: 'Divided by' }).getByText('Model', { exact: true }).click()
  await page
    .getByRole('button', { name: /^Show .* as a table/ })
    .first()
    .click()
  await expect(page.getByRole('columnheader', { name: 'sandbox-small' })).toBeVisible()

  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export CSV' }).click()
  const file = await (await download).path()
  expect(readFileSync(file, 'utf8').split('\r\n')[0]).toContain('requests')

  await row(page, 'sandbox-large').getByRole('button', { name: 'sandbox-large' }).click()
  await expect(page).toHaveURL(/model=sandbox-large/)
  await expect(page.getByRole('list', { name: 'Filters' })).toContainText('sandbox-large')
  await expect(row(page, 'sandbox-small')).toHaveCount(0)
  await page.goBack()
  await expect(row(page, 'sandbox-small')).toBeVisible()
  await row(page, 'sandbox-large').getByRole('link', { name: 'Requests of sandbox-large' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Requests' })).toBeVisible()
})

test('a request shows its failover trail and what priced it', async ({ page, open, gateway }) => {
  await gateway.api('POST', '/admin/model-pricing', {
    model_pattern: 'sandbox-large',
    input_cost_per_million_tokens: 100,
    output_cost_per_million_tokens: 500,
  })
  const [sandbox] = await gateway.api<{ id: string }[]>('GET', '/admin/providers')
  const alias = {
    provider_id: sandbox?.id,
    model_alias: 'traced',
    priority: 0,
  }
  await gateway.api('POST', '/admin/model-mappings', {
    ...alias,
    upstream_model: 'sandbox-down',
  })
  await gateway.api('POST', '/admin/model-mappings', {
    ...alias,
    upstream_model: 'sandbox-large',
    priority: 1,
  })
  await gateway.chat('traced', 'Follow me')
  await open('/reporting/requests?alias=traced')
  const first = page.getByRole('row').nth(1).getByRole('button')
  await expect(async () => {
    await page.getByRole('button', { name: 'Reload' }).click()
    await expect(first).toBeVisible({ timeout: 1000 })
  }).toPass()
  await first.click()
  await expect(dialog(page)).toContainText(/sandbox\/sandbox-down.*503.*sandbox\/sandbox-large.*200/s)
  await expect(dialog(page)).toContainText('Priced by a rule for the organization.')
  await expect(dialog(page)).toContainText('$100.00 in and $500.00 out')
})

test('figures that were guessed are told from those that the vendor reported', async ({
  page,
  open,
  gateway,
}) => {
  await gateway.chat('sandbox-small', 'Guess me')
  // As of a stream that broke.
  await page.route('**/admin/usage?**', async (route) => {
    const response = await route.fetch()
    const found = (await response.json()) as { data: { usage_source?: string }[] }
    const [first] = found.data
    if (first) first.usage_source = 'estimated'
    await route.fulfill({ response, json: found })
  })
  await open('/reporting/requests?alias=sandbox-small')
  const first = page.getByRole('row').nth(1)
  await expect(async () => {
    await page.getByRole('button', { name: 'Reload' }).click()
    await expect(first.getByRole('cell').filter({ hasText: /≈estimated.*out/s })).toBeVisible({
      timeout: 1000,
    })
  }).toPass()
  await first.getByRole('button').click()
  await expect(dialog(page)).toContainText('Estimated by the gateway')
  await expect(dialog(page).getByRole('definition').filter({ hasText: '≈' }).first()).toBeVisible()
})

test('requests are picked by a person and a key that are looked for', async ({ page, open, gateway }) => {
  await gateway.chat('sandbox-small', 'Whose is it?')
  await open('/reporting/requests')
  const filters = page.getByRole('search', { name: 'Filter requests' })
  await filters.getByRole('combobox', { name: 'Key' }).fill('QUICK')
  await filters.getByRole('option', { name: /^quickstart/ }).click()
  await expect(page).toHaveURL(/api_key=/)
  const chips = page.getByRole('list', { name: 'Filters' })
  await expect(chips).toContainText('Key: quickstart')
  await expect(async () => {
    await page.getByRole('button', { name: 'Reload' }).click()
    await expect(page.getByRole('row').nth(1)).toContainText('quickstart', { timeout: 1000 })
  }).toPass()
  await page.reload()
  await expect(filters.getByRole('combobox', { name: 'Key' })).toHaveValue('quickstart')
  await filters.getByRole('combobox', { name: 'Key' }).fill('')
  await filters.getByRole('combobox', { name: 'Key' }).press('Tab')
  await expect(chips).toHaveCount(0)
  await filters.getByRole('combobox', { name: 'Person' }).fill('ada@')
  await filters.getByRole('option', { name: 'ada@example.com' }).click()
  await expect(chips).toContainText('Person: ada@example.com')
})

test('somebody who sees their own requests alone picks one of their own keys', async ({
  page,
  open,
  gateway,
}) => {
  const uma = gateway.caller(gateway.token('user'))
  const own = await uma<{ id: string; key: string }>('POST', '/user/api-keys', { name: 'pocket' })
  await gateway.chat('sandbox-small', 'Mine', { key: own.key })
  await open('/reporting/requests', 'user')
  const filters = page.getByRole('search', { name: 'Filter requests' })
  await expect(filters.getByRole('combobox', { name: 'Person' })).toHaveCount(0)
  await filters.getByRole('combobox', { name: 'Key' }).fill('o')
  await expect(filters.getByRole('option', { name: /^pocket/ })).toBeVisible()
  await expect(filters.getByRole('option', { name: /^quickstart/ })).toHaveCount(0)
  await filters.getByRole('option', { name: /^pocket/ }).click()
  await expect(async () => {
    await page.getByRole('button', { name: 'Reload' }).click()
    await expect(page.getByRole('row').nth(1)).toContainText('pocket', { timeout: 1000 })
  }).toPass()
  await uma('DELETE', `/user/api-keys/${own.id}`)
})

test('requests are filtered, and paged by the gateway', async ({ page, open, gateway }) => {
  test.setTimeout(60_000)
  await Promise.all(Array.from({ length: 60 }, () => gateway.chat('sandbox-small', 'One of many')))
  await gateway.chat('no-such-model', 'Nobody')
  await open('/reporting/requests')
  const pages = page.getByRole('navigation', { name: 'Pages' })
  await expect(async () => {
    await page.getByRole('button', { name: 'Reload' }).click()
    await expect(pages).toBeVisible({ timeout: 1000 })
  }).toPass()
  await expect(page.getByRole('row')).toHaveCount(51)
  await pages.getByRole('button', { name: 'Next page' }).click()
  await expect(pages).toContainText('Page 2')
  await pages.getByRole('button', { name: 'Previous page' }).click()
  await expect(pages).toContainText('Page 1')
  await page.getByLabel('Any status').selectOption('404')
  await expect(page).toHaveURL(/status=404/)
  await expect(page.getByRole('row').nth(1)).toContainText('404 No such model')
})

test('failed requests are picked, one is found by its id, and what is listed is exported', async ({
  page,
  open,
  gateway,
}) => {
  await gateway.chat('sandbox-small', 'Fine')
  await gateway.chat('no-such-model', 'Nobody')
  await open('/reporting/requests')
  const rows = page.getByRole('row')
  await page.getByLabel('Errors only').check()
  await expect(page).toHaveURL(/outcome=error/)
  await expect(async () => {
    await page.getByRole('button', { name: 'Reload' }).click()
    await expect(rows.nth(1)).toContainText('404 No such model', { timeout: 1000 })
  }).toPass()
  await expect(rows.filter({ hasText: '200 Answered' })).toHaveCount(0)

  await rows.nth(1).getByRole('button').click()
  const id = (await dialog(page).locator('code').first().textContent()) ?? ''
  await page.keyboard.press('Escape')
  const search = page.getByRole('searchbox', { name: 'Request id' })
  await search.fill(id)
  await search.press('Enter')
  await expect(page).toHaveURL(new RegExp(`request_id=${id}`))
  await expect(rows).toHaveCount(2)

  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Export CSV' }).click()
  const lines = readFileSync(await (await download).path(), 'utf8').split('\r\n')
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(/^id,ts,/)
  expect(lines[1]).toContain(id)
})

test('the audit log says who changed what, before and after', async ({ page, open, gateway }) => {
  const { id } = await gateway.api<{ id: string }>('POST', '/admin/rate-limits', {
    name: 'audited',
    scope_type: 'role',
    requests_per_minute: 7,
  })
  await gateway.api('PUT', `/admin/rate-limits/${id}`, {
    requests_per_minute: 8,
  })
  await gateway.api('DELETE', `/admin/rate-limits/${id}`)
  await open('/reporting/audit?resource=rate_limit_policy')
  const changed = page.getByRole('row').filter({ hasText: 'Changed' }).filter({ hasText: 'audited' })
  await expect(changed).toContainText('ada@example.com')
  await changed.getByRole('button').click()
  const field = dialog(page).getByRole('row').filter({ hasText: 'requests_per_minute' })
  await expect(field).toContainText(/7\s*8/)
})
