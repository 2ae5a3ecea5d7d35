import { API_ROOT } from '$lib/api/client'
import { session } from './session.svelte'

/** Where clients reach the gateway, without `/v1`. */
export function gatewayUrl(): string {
  return session.current.gateway_url ?? `${window.location.origin}${API_ROOT}`
}
