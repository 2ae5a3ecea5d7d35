import { listed } from '$lib/format/numbers'

export interface CredentialFields {
  name: string
  vendor: string
  authType: string
  isNew: boolean
  /** A new secret was entered. */
  rotates: boolean
  /** Providers that use it already, as far as they are known. */
  usedBy: string[]
}

const WITHOUT_SECRET: Record<string, string> = {
  aws_role: 'No secret is stored: the gateway assumes the role for each request.',
  google_adc: 'No secret is stored: the gateway uses its own Google identity.',
  google_impersonation: 'No secret is stored: the gateway acts as the service account.',
}

/** What saving a credential does. */
export function credentialEffect(fields: CredentialFields): string {
  const name = fields.name.trim() || 'this credential'
  const secret = WITHOUT_SECRET[fields.authType]
  if (fields.isNew) {
    const kept = secret ?? 'The secret is sealed and never shown again.'
    return `Providers for ${fields.vendor} can share ${name}. ${kept}`
  }
  const users = fields.usedBy.length > 0 ? listed(fields.usedBy) : 'whichever provider uses it'
  if (secret) return `Changes are in force with the next request of ${users}. ${secret}`
  return fields.rotates
    ? `The secret of ${name} is replaced; the next request of ${users} uses the new one, and the old one is forgotten.`
    : `The stored secret stays. Changes are in force with the next request of ${users}.`
}
