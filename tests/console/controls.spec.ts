import { confirm, dialog, effect, expectNotice, expectRefusal, row, submit } from './support/acts.ts'
import { expectAccessible } from './support/axe.ts'
import { expect, test } from './support/fixtures.ts'

test('a budget says what it does, fills up before one’s eyes, is changed and deleted', async ({
  page,
  open,
  gateway,
}) => {
  await open('/controls/budgets')
  await page.getByRole('button', { name: 'New budget' }).first().click()
  await dialog(page).getByLabel('Name').fill('Trial')
  await dialog(page).getByLabel('Tokens').fill('1000000')
  await dialog(page).getByLabel('Alerts at').fill('50, 75')
  await expect(effect(page)).toContainText(
    'The whole organization may use 1,000,000 tokens each month (UTC). Alerts are sent at 50 % and 75 %.',
  )
  await submit(page, 'Create budget')
  const used = row(page, /^Trial/).getByRole('meter')
  const before = await used.getAttribute('aria-valuetext')
  await gateway.chat('sandbox-small', 'Tell me a long story about a road with a gate.')
  await expect(used).not.toHaveAttribute('aria-valuetext', before ?? '', {
    timeout: 15_000,
  })

  await page.getByRole('button', { name: 'Edit Trial' }).click()
  await expect(dialog(page).getByLabel('About')).toBeDisabled()
  await dialog(page).getByLabel('When it is used up').selectOption({ label: 'Send an alert and serve on' })
  await expect(effect(page)).toContainText('requests are served on')
  await submit(page, 'Save')
  await expect(row(page, /^Trial/)).toContainText('only tells')

  await row(page, /^Trial/)
    .getByRole('switch')
    .click()
  await expectNotice(page, 'Trial is switched off.')
  await page.getByRole('button', { name: 'Delete Trial' }).click()
  await confirm(page, 'Delete budget')
  await expect(row(page, /^Trial/)).toHaveCount(0)
})

test('two budgets about the same are refused', async ({ page, open, gateway }) => {
  const same = {
    name: 'First',
    scope_type: 'org',
    period: 'daily',
    token_limit: 10_000_000,
  }
  const { id } = await gateway.api<{ id: string }>('POST', '/admin/budgets', same)
  await open('/controls/budgets')
  await page.getByRole('button', { name: 'New budget' }).first().click()
  await dialog(page).getByLabel('Name').fill('Second')
  await dialog(page).getByLabel('Period').selectOption('daily')
  await dialog(page).getByLabel('Tokens').fill('5')
  await dialog(page).getByRole('button', { name: 'Create budget' }).click()
  await expectRefusal(page, /already exists/)
  await gateway.api('DELETE', `/admin/budgets/${id}`)
})

test('a rate limit says what it does, shows its use, is changed and deleted', async ({
  page,
  open,
  gateway,
}) => {
  await open('/controls/rate-limits')
  await page.getByRole('button', { name: 'New rate limit' }).first().click()
  await dialog(page).getByLabel('Name').fill('Calm')
  await dialog(page).getByLabel('About').selectOption('org')
  await dialog(page).getByLabel('Requests per minute').fill('500')
  await expect(effect(page)).toContainText('The whole organization may use 500 requests in any 60 seconds.')
  await submit(page, 'Create rate limit')
  await gateway.chat('sandbox-small', 'Say hello')
  await expect(row(page, 'Calm').getByRole('meter')).toHaveAttribute(
    'aria-valuetext',
    /^[1-9]\d* of 500 requests/,
    { timeout: 15_000 },
  )

  await page.getByRole('button', { name: 'Edit Calm' }).click()
  await dialog(page).getByLabel('Requests per minute').fill('')
  await dialog(page).getByLabel('Tokens per minute').fill('90000')
  await expect(effect(page)).toContainText('may use 90,000 tokens in any 60 seconds')
  await submit(page, 'Save')
  await expect(row(page, 'Calm')).toContainText('of 90K tokens')

  await page.getByRole('button', { name: 'Delete Calm' }).click()
  await confirm(page, 'Delete rate limit')
  await expect(row(page, 'Calm')).toHaveCount(0)
})

test('a second rate limit about the same is refused', async ({ page, open, gateway }) => {
  const same = {
    name: 'First',
    scope_type: 'org',
    requests_per_minute: 100_000,
  }
  const { id } = await gateway.api<{ id: string }>('POST', '/admin/rate-limits', same)
  await open('/controls/rate-limits')
  await page.getByRole('button', { name: 'New rate limit' }).first().click()
  await dialog(page).getByLabel('Name').fill('Second')
  await dialog(page).getByLabel('About').selectOption('org')
  await dialog(page).getByLabel('Requests per minute').fill('5')
  await dialog(page).getByRole('button', { name: 'Create rate limit' }).click()
  await expectRefusal(page, /already exists/)
  await gateway.api('DELETE', `/admin/rate-limits/${id}`)
})

test('an access policy says what it does, is changed and deleted', async ({ page, open }) => {
  await open('/controls/model-access')
  await page.getByRole('button', { name: 'New policy' }).first().click()
  await dialog(page).getByLabel('Name').fill('Interns')
  await dialog(page).getByLabel('Team').fill('interns')
  await dialog(page).getByLabel('Alias of target 1').fill('sandbox-small')
  await expect(effect(page)).toContainText('The team interns may use only the alias sandbox-small')
  await submit(page, 'Create policy')
  await expect(row(page, 'Interns')).toContainText('Allows only')

  await page.getByRole('button', { name: 'Edit Interns' }).click()
  await dialog(page).getByRole('radio', { name: /Deny/ }).check()
  await dialog(page).getByRole('button', { name: 'Add target' }).click()
  await dialog(page).getByLabel('Kind of target 2').selectOption('provider')
  await expect(effect(page)).toContainText('may not use the alias sandbox-small or the models of sandbox')
  await submit(page, 'Save')
  await expect(row(page, 'Interns')).toContainText('Denies')

  await page.getByRole('button', { name: 'Delete Interns' }).click()
  await confirm(page, 'Delete policy')
  await expect(row(page, 'Interns')).toHaveCount(0)
})

test('an access policy about somebody unknown is refused in words', async ({ page, open }) => {
  await page.route('**/admin/model-access', async (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    const body = route.request().postDataJSON() as Record<string, unknown>
    await route.continue({ postData: { ...body, targets: [] } })
  })
  await open('/controls/model-access')
  await page.getByRole('button', { name: 'New policy' }).first().click()
  await dialog(page).getByLabel('Name').fill('Nobody')
  await dialog(page).getByLabel('Alias of target 1').fill('x')
  await dialog(page).getByRole('button', { name: 'Create policy' }).click()
  await expectRefusal(page, /at least one target/)
})

test('a smart model is previewed, made, changed and deleted', async ({ page, open }) => {
  await open('/controls/smart-models')
  await page.getByRole('button', { name: 'New smart model' }).first().click()
  await dialog(page).getByLabel('Alias', { exact: true }).fill('auto-test')
  await dialog(page).getByLabel('Model that decides').fill('sandbox-small')
  await dialog(page).getByLabel('Alias of slot 1').fill('sandbox-small')
  await expect(dialog(page).getByText('A slot is empty.')).toBeVisible()
  await dialog(page).getByLabel('Alias of slot 2').fill('sandbox-large')
  await dialog(page).getByLabel('Tokens from which slot 2 is the least').fill('1000')
  await expect(effect(page)).toContainText(
    'sandbox-small reads the first 12,000 characters and chooses among sandbox-small or sandbox-large',
  )
  await dialog(page).getByLabel('Tokens', { exact: false }).last().fill('5000')
  await dialog(page).getByRole('button', { name: 'Preview' }).click()
  await expect(dialog(page).getByText('It would go to sandbox-large')).toBeVisible()
  await submit(page, 'Create smart model')

  await page.getByRole('button', { name: 'Edit auto-test' }).click()
  await dialog(page).getByLabel('Description').fill('Whatever suits')
  await submit(page, 'Save')
  await expect(row(page, /auto-test/)).toContainText('Whatever suits')

  await page.getByRole('button', { name: 'Delete auto-test' }).click()
  await confirm(page, 'Delete smart model')
  await expect(row(page, /auto-test/)).toHaveCount(0)
})

test('a smart model whose alias is taken is refused', async ({ page, open }) => {
  await open('/controls/smart-models')
  await page.getByRole('button', { name: 'New smart model' }).first().click()
  await dialog(page).getByLabel('Alias', { exact: true }).fill('sandbox-small')
  await dialog(page).getByLabel('Model that decides').fill('sandbox-large')
  await dialog(page).getByLabel('Alias of slot 1').fill('sandbox-large')
  await dialog(page).getByLabel('Alias of slot 2').fill('sandbox-large')
  await dialog(page).getByRole('button', { name: 'Create smart model' }).click()
  await expectRefusal(page, /sandbox-small/)
})

test('governance is switched, and says what that does', async ({ page, open, gateway }) => {
  await open('/controls/governance')
  const control = page.getByRole('switch', {
    name: 'Require pricing for model routes',
  })
  await control.click()
  await expectNotice(page, 'Routes need a price from now on.')
  await expect(page.getByText('can be switched on only if a pricing rule')).toBeVisible()
  await control.click()
  await expect(control).toHaveAttribute('aria-checked', 'false')
  expect(await gateway.api('GET', '/admin/governance-config')).toEqual({
    require_pricing_for_mappings: false,
  })
})

test('budgets are searched, sorted and paged by the gateway', async ({ page, open, gateway }) => {
  test.setTimeout(90_000)
  const admin = gateway.caller(gateway.token('admin'))
  const made: string[] = []
  for (let n = 1; n <= 52; n += 1) {
    const budget = { name: `crowd-${n}`, scope_type: 'group', scope_value: `team ${60 - n}`, period: 'daily' }
    made.push((await admin<{ id: string }>('POST', '/admin/budgets', { ...budget, token_limit: 1000 })).id)
  }
  await open('/controls/budgets')
  const pages = page.getByRole('navigation', { name: 'Pages' })
  const searched = page.waitForResponse(
    (response) => new URL(response.url()).searchParams.get('q') === 'CROWD',
  )
  await page.getByRole('searchbox', { name: 'Search budgets' }).fill('CROWD')
  await searched
  await expect(page.getByRole('status').filter({ hasText: '52 budgets' })).toBeVisible()
  await expect(page.getByRole('row')).toHaveCount(51)
  // As people count: crowd-9 before crowd-10.
  await expect(page.getByRole('rowheader').nth(8)).toContainText('crowd-9')
  await pages.getByRole('button', { name: 'Next page' }).click()
  await expect(page.getByRole('rowheader')).toContainText([/crowd-51/, /crowd-52/])
  await page.getByRole('columnheader').getByRole('button', { name: 'About' }).click()
  await expect(page.getByRole('rowheader').first()).toContainText('crowd-52')
  await expect(page.getByRole('row').nth(1)).toContainText('team 8')
  // By whom it is about.
  await page.getByRole('searchbox', { name: 'Search budgets' }).fill('team 59')
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByRole('button', { name: 'Delete crowd-1', exact: true }).click()
  await confirm(page, 'Delete budget')
  await expect(page.getByText('Nothing matches “team 59”.')).toBeVisible()
  for (const id of made.slice(1)) await admin('DELETE', `/admin/budgets/${id}`)
})

test('a limit is about a person who is on no first page, looked for by typing', async ({
  page,
  open,
  gateway,
}) => {
  test.setTimeout(180_000)
  // People are known once they have asked for something. They come after everybody else in the list.
  const names = Array.from({ length: 51 }, (_, n) => `zz-${String(n).padStart(2, '0')}@example.com`)
  for (const name of [...names, 'zz-last@example.com'])
    await gateway.caller(gateway.tokenFor('default', name, 'user'))('GET', '/user/api-keys')
  const asked: URL[] = []
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (/\/admin\/(users|api-keys)$/.test(url.pathname)) asked.push(url)
  })

  await open('/controls/rate-limits')
  await page.getByRole('button', { name: 'New rate limit' }).first().click()
  await dialog(page).getByLabel('Name').fill('Slowly, please')
  await dialog(page).getByLabel('Requests per minute').fill('5')
  await dialog(page).getByLabel('About').selectOption('user')
  const person = dialog(page).getByRole('combobox', { name: 'Person' })
  const options = dialog(page).getByRole('listbox', { name: 'Found' }).getByRole('option')
  await person.click()
  await expect(options).toHaveCount(50)
  await expect(options.filter({ hasText: 'zz-last' })).toHaveCount(0)
  const said = dialog(page).locator('.picker').getByRole('status')
  await expect(said).toHaveText('50 found. More match: type more of the name.')
  await expectAccessible(page)
  // A press beside the options leaves the list as it is, and Tab leads on to the next field.
  const popup = dialog(page).locator('.found')
  await popup.getByText('More match: type more of the name.').click()
  await popup.click({ position: { x: 3, y: 3 } })
  await expect(person).toBeFocused()
  await expect(options).toHaveCount(50)
  await person.press('Tab')
  await expect(dialog(page).getByLabel('Requests per minute')).toBeFocused()
  await expect(options).toHaveCount(0)
  await expect(said).toHaveText('')
  await person.fill('ZZ-LA')
  await expect(options).toHaveText(['zz-last@example.com'])
  // The list is left, and not the form.
  await person.press('Escape')
  await expect(options).toHaveCount(0)
  await expect(effect(page)).toContainText('Each person on their own may use 5 requests')
  await person.fill('zz-last')
  await expect(options).toHaveCount(1)
  await person.press('ArrowDown')
  await expect(person).toHaveAttribute('aria-activedescendant', (await options.getAttribute('id')) ?? '')
  await expect(said).toHaveText('1 found.')
  await expectAccessible(page)
  // The key that ends a composition takes what was composed, and nobody from the list.
  await person.dispatchEvent('keydown', { key: 'Enter', isComposing: true })
  await expect(options).toHaveCount(1)
  await person.press('Enter')
  await expect(person).toHaveValue('zz-last@example.com')
  await expect(effect(page)).toContainText('Zz-last@example.com may use 5 requests')
  await submit(page, 'Create rate limit')

  await page.reload()
  await expect(row(page, 'Slowly, please')).toContainText('zz-last@example.com')
  await page.getByRole('button', { name: 'Edit Slowly, please' }).click()
  await expect(person).toHaveValue('zz-last@example.com')
  // What matches nothing changes nothing; nothing at all is everybody.
  await person.fill('nobody at all')
  await expect(popup).toHaveText('Nothing matches.')
  await person.press('Tab')
  await expect(person).toHaveValue('zz-last@example.com')
  await person.fill('')
  await person.press('Tab')
  await expect(effect(page)).toContainText('Each person on their own may use 5 requests')
  await person.fill('zz-08')
  await options.filter({ hasText: 'zz-08' }).click()
  await expect(effect(page)).toContainText('Zz-08@example.com may use 5 requests')
  await person.fill('')
  await person.press('Enter')
  await expect(effect(page)).toContainText('Each person on their own may use 5 requests')
  await person.fill('zz-07')
  await options.filter({ hasText: 'zz-07' }).click()
  await submit(page, 'Save')
  await expect(row(page, 'Slowly, please')).toContainText('zz-07@example.com')

  await page.getByRole('searchbox', { name: 'Search rate limits' }).fill('zz-07@EXAMPLE slowly')
  await expect(page.getByRole('row')).toHaveCount(2)
  await page.getByRole('button', { name: 'Delete Slowly, please' }).click()
  await confirm(page, 'Delete rate limit')
  // Nobody read the whole of either list.
  const whole = asked.filter(({ searchParams }) => !searchParams.has('limit') && !searchParams.has('id'))
  expect(whole.map(String)).toEqual([])
})

test('what was looked for in vain is looked for again, and the list says so', async ({ page, open }) => {
  await open('/controls/rate-limits')
  await page.getByRole('button', { name: 'New rate limit' }).first().click()
  await dialog(page).getByLabel('About').selectOption('user')
  const person = dialog(page).getByRole('combobox', { name: 'Person' })
  const popup = dialog(page).locator('.found')
  const users = /\/admin\/users\?/
  await page.route(users, (route) => route.abort())
  await person.fill('ada@')
  await expect(popup).not.toHaveText('Searching…')
  await expect(popup).not.toHaveText('')
  await page.unroute(users)
  let answer: () => void = () => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  await page.route(users, async (route) => {
    await answered
    await route.continue()
  })
  await person.fill('ada@e')
  await expect(popup).toHaveText('Searching…')
  await person.fill('ada@')
  await expect(popup).toHaveText('Searching…')
  answer()
  await expect(popup.getByRole('option')).toHaveText(['ada@example.com'])
})

test('the name that a policy was made with is emptied and typed anew in its field', async ({
  page,
  open,
  gateway,
}) => {
  const { id } = await gateway.api<{ id: string }>('POST', '/admin/rate-limits', {
    name: 'By her name',
    scope_type: 'user',
    scope_value: 'x@example.com',
    requests_per_minute: 5,
  })
  await open('/controls/rate-limits')
  await page.getByRole('button', { name: 'Edit By her name' }).click()
  const person = dialog(page).getByLabel('Person')
  await person.fill('x')
  await person.press('Backspace')
  await expect(effect(page)).toContainText('Each person on their own may use 5 requests')
  await expect(person).toBeFocused()
  await page.keyboard.type('y@example.com')
  await expect(effect(page)).toContainText('Y@example.com may use 5 requests')
  // Whoever changes what it is about chooses from the list.
  await dialog(page).getByLabel('About').selectOption('api_key')
  await expect(dialog(page).getByRole('combobox', { name: 'Key' })).toHaveValue('')
  await dialog(page).getByLabel('About').selectOption('user')
  await expect(dialog(page).getByRole('combobox', { name: 'Person' })).toHaveAttribute(
    'aria-autocomplete',
    'list',
  )
  await page.keyboard.press('Escape')
  await gateway.api('DELETE', `/admin/rate-limits/${id}`)
})

test('a budget is about a key that is looked for, and fixed once it was made', async ({
  page,
  open,
  gateway,
}) => {
  const key = await gateway.api<{ id: string }>('POST', '/admin/api-keys', { name: 'pipeline' })
  await open('/controls/budgets')
  await page.getByRole('button', { name: 'New budget' }).first().click()
  await dialog(page).getByLabel('Name').fill('Of the pipeline')
  await dialog(page).getByLabel('About').selectOption('api_key')
  const picker = dialog(page).getByRole('combobox', { name: 'Key' })
  await picker.pressSequentially('pipel')
  await dialog(page)
    .getByRole('option', { name: /^pipeline \(bd-/ })
    .click()
  await dialog(page).getByLabel('Tokens').fill('1000')
  await expect(effect(page)).toContainText('The key pipeline may use 1,000 tokens')
  await submit(page, 'Create budget')
  await expect(row(page, /^Of the pipeline/)).toContainText('pipeline')
  await page.getByRole('button', { name: 'Edit Of the pipeline' }).click()
  await expect(picker).toBeDisabled()
  await expect(picker).toHaveValue('pipeline')
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Delete Of the pipeline' }).click()
  await confirm(page, 'Delete budget')
  await gateway.api('DELETE', `/admin/api-keys/${key.id}`)
})
