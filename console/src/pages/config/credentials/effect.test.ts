import { expect, it } from 'vitest'
import { credentialEffect, type CredentialFields } from './effect'

const NEW: CredentialFields = {
  name: 'team',
  vendor: 'OpenAI',
  authType: 'api_key',
  isNew: true,
  rotates: true,
  usedBy: [],
}

it('a new credential can be shared, and its secret is sealed', () => {
  expect(credentialEffect(NEW)).toBe(
    'Providers for OpenAI can share team. The secret is sealed and never shown again.',
  )
  expect(credentialEffect({ ...NEW, authType: 'aws_role' })).toContain(
    'No secret is stored: the gateway assumes the role',
  )
})

it('a changed one says whether its secret is replaced, and for whom', () => {
  const known = { ...NEW, isNew: false, usedBy: ['openai', 'openai-eu'] }
  expect(credentialEffect(known)).toBe(
    'The secret of team is replaced; the next request of openai and openai-eu uses the new one, and the old one is forgotten.',
  )
  expect(credentialEffect({ ...known, rotates: false, usedBy: [] })).toBe(
    'The stored secret stays. Changes are in force with the next request of whichever provider uses it.',
  )
})
