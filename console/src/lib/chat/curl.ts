import type { ChatRequest } from './send'

/** The same request as a command: the key comes from the environment. */
export function curlOf(request: ChatRequest, gateway: string): string {
  const body = JSON.stringify(request, null, 2).replaceAll("'", `'\\''`)
  return `curl -N ${gateway}/v1/chat/completions \\
  -H "Authorization: Bearer $TURNPIKE_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${body}'`
}
