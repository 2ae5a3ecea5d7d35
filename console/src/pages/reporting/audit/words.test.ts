import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '$lib/api/types'
import { changesIn, nameIn, takesAway, thingText, verbText } from './words'

describe('an entry of the audit log', () => {
  it('says its action as people do', () => {
    expect(verbText('service_account.create')).toBe('Created')
    expect(verbText('provider.polish_up')).toBe('Polish up')
    expect(thingText('token_budget')).toBe('Budget')
    expect(thingText('service_account')).toBe('Service account')
    expect(takesAway('api_key.revoke')).toBe(true)
    expect(takesAway('api_key.create')).toBe(false)
  })

  it('is about a thing with a name, which may be gone', () => {
    const entry = {
      resource: 'model_mapping',
      before: { model_alias: 'assistant' },
      after: null,
    } as AuditEntry
    expect(nameIn(entry)).toBe('assistant')
    expect(nameIn({ ...entry, before: null } as AuditEntry)).toBe('Model route')
  })

  it('shows the fields that differ', () => {
    expect(
      changesIn({
        before: { name: 'a', enabled: true, gone: 1 },
        after: { name: 'a', enabled: false, models: ['m'] },
      }),
    ).toEqual([
      { field: 'enabled', before: 'true', after: 'false' },
      { field: 'gone', before: '1', after: null },
      { field: 'models', before: null, after: '["m"]' },
    ])
  })
})
