import { describe, expect, it } from 'vitest'
import type { AuditEntry } from '$lib/api/types'
import { actionText, changesIn, nameIn } from './words'

describe('an entry of the audit log', () => {
  it('says its action as people do', () => {
    expect(actionText('service_account.create')).toBe('service account create')
  })

  it('is about a thing with a name, which may be gone', () => {
    const entry = { resource: 'model_route', before: { model_alias: 'assistant' }, after: null } as AuditEntry
    expect(nameIn(entry)).toBe('assistant')
    expect(nameIn({ ...entry, before: null } as AuditEntry)).toBe('model route')
  })

  it('shows the fields that differ', () => {
    expect(
      changesIn({ before: { name: 'a', enabled: true, gone: 1 }, after: { name: 'a', enabled: false, models: ['m'] } }),
    ).toEqual([
      { field: 'enabled', before: 'true', after: 'false' },
      { field: 'gone', before: '1', after: null },
      { field: 'models', before: null, after: '["m"]' },
    ])
  })
})
