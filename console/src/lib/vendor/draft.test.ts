import { describe, expect, it } from 'vitest'
import type { ProviderTemplate } from '$lib/api/types'
import { draftOf, missingIn, requestOf, templateFor, trustPolicy } from './draft'

const field = (name: string, required: boolean, secret = false, value: string | null = null) => ({
  name,
  required,
  secret,
  default: value,
  values: null,
})

const BEDROCK: ProviderTemplate = {
  id: '00000000-0000-4000-8000-000000000001',
  slug: 'aws-bedrock',
  name: 'Amazon Bedrock',
  model_provider: 'bedrock',
  available: true,
  auth_types: [
    { auth_type: 'aws_role', fields: [field('iam_role_arn', true), field('external_id', false)] },
    { auth_type: 'bedrock_api_key', fields: [field('api_key', true, true)] },
  ],
  base_url: 'https://bedrock-runtime.{region}.amazonaws.com',
  dialects: ['converse'],
  capabilities: [],
  settings: [field('region', true), field('model_api_family', false, false, 'bedrock_converse')],
}

const CUSTOM: ProviderTemplate = {
  ...BEDROCK,
  id: '00000000-0000-4000-8000-000000000002',
  slug: 'custom',
  model_provider: 'custom',
  auth_types: [{ auth_type: 'api_key', fields: [field('api_key', false, true)] }],
  base_url: null,
  settings: [field('dialects', false)],
}

const AZURE: ProviderTemplate = {
  ...CUSTOM,
  id: '00000000-0000-4000-8000-000000000003',
  slug: 'azure',
  model_provider: 'azure_openai',
  settings: [field('base_models', false)],
}

describe('a draft', () => {
  it('starts with the first way to authenticate and the defaults of the catalogue', () => {
    const draft = draftOf(BEDROCK)
    expect(draft.authType).toBe('aws_role')
    expect(draft.settings).toEqual({ region: '', model_api_family: 'bedrock_converse' })
  })

  it('names what is missing, the address where the catalogue has none', () => {
    expect(missingIn(draftOf(BEDROCK), false)).toEqual(['region', 'iam_role_arn'])
    expect(missingIn(draftOf(CUSTOM), false)).toEqual(['base_url'])
  })

  it('of something that exists may keep its secret', () => {
    const known = { auth_type: 'bedrock_api_key', base_url: 'https://x', settings: { region: 'eu-west-1' } }
    const draft = draftOf(BEDROCK, known)
    expect(draft.settings.region).toBe('eu-west-1')
    expect(missingIn(draft, true)).toEqual([])
    expect(requestOf(draft).api_key).toBeUndefined()
  })

  it('shows the parts of a credential that are no secret', () => {
    const known = { auth_type: 'aws_role', base_url: '', settings: { iam_role_arn: 'arn:aws:iam::1:role/x' } }
    expect(draftOf(BEDROCK, known).credential.iam_role_arn).toBe('arn:aws:iam::1:role/x')
  })
})

describe('its request', () => {
  it('has one key by itself, and other credentials by their parts', () => {
    const draft = draftOf(BEDROCK)
    draft.credential = { iam_role_arn: ' arn:aws:iam::1:role/x ', external_id: '' }
    draft.settings.region = 'us-east-1'
    expect(requestOf(draft)).toEqual({
      model_provider: 'bedrock',
      auth_type: 'aws_role',
      credentials: { iam_role_arn: 'arn:aws:iam::1:role/x' },
      settings: { region: 'us-east-1', model_api_family: 'bedrock_converse' },
    })
  })

  it('has lists as lists', () => {
    const draft = draftOf(CUSTOM)
    draft.baseUrl = 'http://127.0.0.1:11434'
    draft.credential.api_key = 'k'
    draft.settings.dialects = 'chat_completions,embeddings'
    expect(requestOf(draft)).toEqual({
      model_provider: 'custom',
      auth_type: 'api_key',
      base_url: 'http://127.0.0.1:11434',
      api_key: 'k',
      settings: { dialects: ['chat_completions', 'embeddings'] },
    })
  })

  it('has what names stand for as an object, and keeps it through an edit', () => {
    const models = { 'prod-chat': 'gpt-5.2', small: 'gpt-5-mini' }
    const known = { auth_type: 'api_key', base_url: 'https://x', settings: { base_models: models } }
    const draft = draftOf(AZURE, known)
    expect(draft.settings.base_models).toBe('prod-chat = gpt-5.2, small = gpt-5-mini')
    expect(requestOf(draft).settings).toEqual({ base_models: models })
  })
})

it('the template of something is found by its id, else by its vendor and way to authenticate', () => {
  const all = [CUSTOM, BEDROCK]
  expect(templateFor(all, { catalog_id: CUSTOM.id, model_provider: 'x', auth_type: 'y' })).toBe(CUSTOM)
  expect(templateFor(all, { model_provider: 'bedrock', auth_type: 'bedrock_api_key' })).toBe(BEDROCK)
  expect(templateFor(all, { model_provider: 'nobody', auth_type: 'api_key' })).toBeUndefined()
})

it('a trust policy names the gateway and the external id', () => {
  const policy = JSON.parse(trustPolicy('arn:aws:iam::2:user/gw', 'ext-1')) as { Statement: unknown[] }
  expect(policy.Statement).toEqual([
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::2:user/gw' },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': 'ext-1' } },
    },
  ])
})
