import type { Provider } from '$lib/api/types'

export interface HealthText {
  kind: 'ok' | 'bad' | 'plain' | 'warn'
  text: string
}

const NOT_PROBED = new Set(['bedrock', 'vertex', 'azure_openai'])

/** The health of a provider in a word. */
export function healthText(provider: Provider): HealthText {
  if (!provider.enabled) return { kind: 'plain', text: 'Off' }
  if (provider.health_status === 'healthy') return { kind: 'ok', text: 'Healthy' }
  if (provider.health_status === 'unhealthy') {
    return provider.enforce_health_check
      ? { kind: 'bad', text: 'Unhealthy' }
      : { kind: 'warn', text: 'Unhealthy, used' }
  }
  return { kind: 'plain', text: NOT_PROBED.has(provider.model_provider) ? 'Not probed' : 'Unverified' }
}
