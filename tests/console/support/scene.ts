import type { Gateway } from './gateway.ts'

interface WithId {
  id: string
}

/** An organization in which people have worked for a while: something to see on every page. */
export async function furnish(gateway: Gateway): Promise<void> {
  const admin = <T>(method: string, at: string, body?: unknown): Promise<T> =>
    gateway.api<T>(method, `/admin${at}`, body)
  gateway.token('user', ['--group', 'research'])
  await gateway.api('GET', '/user/models', undefined, 'user')
  const [sandbox] = await admin<WithId[]>('GET', '/providers')
  if (!sandbox) throw new Error('no sandbox')
  await prices(admin)
  const local = await admin<WithId>('POST', '/providers', {
    name: 'vllm-berlin',
    model_provider: 'custom',
    base_url: 'http://127.0.0.1:9',
    models: ['llama-3.3-70b'],
  })
  await aliases(admin, sandbox.id, local.id)
  const keys = await keysOf(admin)
  await controls(admin, local.id)
  await settings(admin)
  await usage(gateway, keys)
}

type Admin = <T>(method: string, at: string, body?: unknown) => Promise<T>

async function prices(admin: Admin): Promise<void> {
  const price = (pattern: string, input: number, output: number, more: object = {}): Promise<unknown> =>
    admin('POST', '/model-pricing', {
      model_pattern: pattern,
      input_cost_per_million_tokens: input,
      output_cost_per_million_tokens: output,
      ...more,
    })
  await price('sandbox-large', 150, 750, { change_reason: 'list price' })
  await price('sandbox-small', 25, 125)
  await price('sandbox-small', 20, 100, {
    effective_from: '2099-01-01T00:00:00Z',
    change_reason: 'announced',
  })
  await price('sandbox-embedding', 5, 0)
  await price('llama-*', 40, 40)
}

async function aliases(admin: Admin, sandbox: string, local: string): Promise<void> {
  const route = (
    alias: string,
    provider: string,
    model: string,
    priority: number,
    more: object = {},
  ): Promise<unknown> =>
    admin('POST', '/model-mappings', {
      provider_id: provider,
      model_alias: alias,
      upstream_model: model,
      priority,
      ...more,
    })
  await route('assistant', local, 'llama-3.3-70b', 0, {
    retry_on_429_count: 2,
    retry_on_429_max_wait_secs: 20,
  })
  await route('assistant', sandbox, 'sandbox-down', 1)
  await route('assistant', sandbox, 'sandbox-large', 2)
  await route('fast', sandbox, 'sandbox-small', 0)
  await route('coding', sandbox, 'sandbox-large', 0)
  await route('coding', sandbox, 'sandbox-small', 0)
}

async function keysOf(admin: Admin): Promise<string[]> {
  const users = await admin<{ id: string; email: string | null }[]>('GET', '/users')
  const uma = users.find((user) => user.email?.startsWith('uma'))
  const bodies = [
    { name: 'nightly evaluation' },
    {
      name: 'support bot',
      group_name: 'support',
      expires_at: new Date(Date.now() + 4 * 86_400_000).toISOString(),
    },
    { name: 'Cursor on laptop', user_id: uma?.id },
  ]
  const keys: string[] = []
  for (const body of bodies) keys.push((await admin<{ key: string }>('POST', '/api-keys', body)).key)
  const old = await admin<WithId>('POST', '/api-keys', {
    name: 'old pipeline',
  })
  await admin('DELETE', `/api-keys/${old.id}`)
  return keys
}

async function controls(admin: Admin, local: string): Promise<void> {
  await admin('POST', '/budgets', {
    name: 'Organization, monthly',
    scope_type: 'org',
    period: 'monthly',
    token_limit: 80_000,
    cost_limit: 2,
  })
  await admin('POST', '/budgets', {
    name: 'Each person',
    scope_type: 'user',
    period: 'weekly',
    token_limit: 50_000,
    action_on_exhaust: 'warn',
  })
  await admin('POST', '/budgets', {
    name: 'Support team on fast',
    scope_type: 'group',
    scope_value: 'support',
    period: 'daily',
    token_limit: 0,
    cost_limit: 25,
    target_model_alias: 'fast',
  })
  await admin('POST', '/rate-limits', {
    name: 'Every key',
    scope_type: 'api_key',
    requests_per_minute: 600,
    tokens_per_minute: 200_000,
  })
  await admin('POST', '/rate-limits', {
    name: 'Large model',
    scope_type: 'model',
    scope_value: 'sandbox-large',
    requests_per_minute: 200,
  })
  await admin('POST', '/model-access', {
    name: 'No local models for support',
    policy_type: 'denylist',
    scope_type: 'group',
    scope_value: 'support',
    targets: [{ kind: 'provider', provider_id: local }],
  })
  await admin('POST', '/model-access', {
    name: 'Interns',
    policy_type: 'allowlist',
    scope_type: 'group',
    scope_value: 'interns',
    targets: [
      { kind: 'model_alias', alias: 'fast' },
      { kind: 'model', model: 'sandbox-small*' },
    ],
  })
  await admin('POST', '/smart-models', {
    model_alias: 'auto',
    description: 'The smallest that will do',
    determiner_model_alias: 'fast',
    slots: [
      { model_alias: 'fast', label: 'everyday' },
      { model_alias: 'assistant', label: 'hard' },
    ],
    context_breakpoints: [32_000],
  })
}

async function settings(admin: Admin): Promise<void> {
  await admin('POST', '/connections', {
    name: 'OpenAI, team account',
    model_provider: 'openai',
    api_key: 'sk-not-real-1',
  })
  await admin('POST', '/connections', {
    name: 'Bedrock, Frankfurt',
    model_provider: 'bedrock',
    auth_type: 'aws_keys',
    credentials: {
      access_key_id: 'AKIANOTREAL',
      secret_access_key: 'not-real',
    },
    settings: { region: 'eu-central-1' },
  })
  await admin('POST', '/service-accounts', {
    name: 'terraform',
    role: 'admin',
  })
  await admin('POST', '/alert-webhooks', {
    name: 'On-call channel',
    url: 'https://hooks.example.com/turnpike',
    events: ['budget_exhausted', 'route_ejected'],
  })
}

const QUESTIONS = [
  'Summarise the minutes of yesterday in three sentences.',
  'Write a test that shows that the parser refuses an empty body.',
  'Translate this paragraph into French, keeping its tone.',
  'Which of these tickets are about billing, and which about access?',
]

/** Requests of several keys for several models, some of which fail. */
export async function usage(gateway: Gateway, keys: string[], rounds = 6): Promise<void> {
  const models = ['assistant', 'fast', 'fast', 'coding', 'sandbox-large', 'sandbox-small']
  const failing = ['no-such-model', 'sandbox-unauthorized']
  const sending: Promise<number>[] = []
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, model] of [...models, ...(round === 0 ? failing : [])].entries()) {
      const key = keys[(round + index) % keys.length]
      const question = `${QUESTIONS[(round + index) % QUESTIONS.length]} `.repeat(
        1 + ((round * 3 + index) % 5),
      )
      sending.push(gateway.chat(model, question, { stream: index % 2 === 0, key }))
    }
  }
  await Promise.all(sending)
}
