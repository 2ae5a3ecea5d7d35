import { counted, listed } from '$lib/format/numbers'
import { secondsInWords } from '$lib/format/time'

export interface ProviderFields {
  name: string
  vendor: string
  /** Who pays: a shared credential's name, the stored secret, or the caller. */
  credential: { is: 'shared'; name: string } | { is: 'own' } | { is: 'callers' }
  baseUrl: string | null
  models: string[]
  timeoutSecs: number | null
  idleSecs: number | null
  enforcesHealth: boolean
}

const SHOWN = 3

/** What saving a provider does. */
export function providerEffect(fields: ProviderFields): string {
  const name = fields.name.trim() || 'this provider'
  return [sentenceOfRoute(name, fields), sentenceOfModels(name, fields.models), sentenceOfLimits(fields)]
    .filter(Boolean)
    .join(' ')
}

function sentenceOfRoute(name: string, { vendor, credential, baseUrl }: ProviderFields): string {
  const where = baseUrl ? `${vendor} at ${baseUrl}` : vendor
  if (credential.is === 'callers')
    return `Requests to ${name} reach ${where} with each caller's own OAuth token.`
  const how =
    credential.is === 'shared' ? `the shared credential ${credential.name}` : 'a credential of its own'
  return `Requests to ${name} reach ${where} with ${how}.`
}

function sentenceOfModels(name: string, models: string[]): string {
  const first = models[0]
  if (first === undefined) return ''
  const shown =
    models.length > SHOWN ? [...models.slice(0, SHOWN), counted(models.length - SHOWN, 'more model')] : models
  return `${listed(shown)} can be called at once, as ${name}/${first}${models.length > 1 ? ' and so on' : ''}.`
}

function sentenceOfLimits({ timeoutSecs, idleSecs, enforcesHealth }: ProviderFields): string {
  const limits: string[] = []
  if (timeoutSecs !== null) limits.push(`a whole answer may take ${secondsInWords(timeoutSecs)}`)
  if (idleSecs !== null) limits.push(`a stream may be silent for ${secondsInWords(idleSecs)}`)
  const time = limits.length > 0 ? `${capital(listed(limits))}. ` : ''
  return enforcesHealth
    ? `${time}While its health check fails, no request goes there.`
    : `${time}A failing health check is shown, and requests go there all the same.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
