import { requestIdOf, sessionHeaders } from '$lib/api/client'
import { ApiError, messageOf } from '$lib/api/error'
import { newOutcome, withEvent, type Outcome, type Step } from './outcome'
import { SseReader } from './sse'

export interface Message {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** A chat completion as it is sent. */
export interface ChatRequest {
  model: string
  messages: Message[]
  stream: true
  temperature?: number
  max_tokens?: number
}

/** What is known of an answer that is under way, or has ended. */
export interface Progress {
  outcome: Outcome
  requestId: string | null
  /** Milliseconds from sending to the first byte, the first text, and the end. */
  firstByteMs: number | null
  firstTextMs: number | null
  totalMs: number | null
  /** `x-bd-…`: what it took. */
  failovers: number
  retries: number
}

/** A refusal of the runtime, with the routes that were tried. */
export class ChatError extends ApiError {
  constructor(
    message: string,
    status: number,
    requestId: string | null,
    readonly trail: Step[],
  ) {
    super(message, status, requestId)
  }
}

/** Sends a chat completion and tells `onprogress` of every piece of its answer. */
export async function sendChat(
  request: ChatRequest,
  onprogress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now()
  const response = await fetch('/v1/chat/completions', {
    method: 'POST',
    credentials: 'same-origin',
    headers: { ...sessionHeaders('POST'), 'content-type': 'application/json', 'x-bd-metadata': 'true' },
    body: JSON.stringify(request),
    signal,
  })
  if (!response.ok || !response.body) throw await refusal(response)
  let progress = begun(response)
  const reader = response.body.getReader()
  const events = new SseReader()
  for (;;) {
    const { done, value } = await reader.read()
    const now = performance.now() - began
    if (done) {
      onprogress({ ...progress, totalMs: now })
      return
    }
    const outcome = events.push(value).reduce(withEvent, progress.outcome)
    const hasText = outcome.text !== '' || outcome.reasoning !== ''
    progress = {
      ...progress,
      outcome,
      firstByteMs: progress.firstByteMs ?? now,
      firstTextMs: progress.firstTextMs ?? (hasText ? now : null),
    }
    onprogress(progress)
  }
}

function begun(response: Response): Progress {
  const number = (name: string): number => Number(response.headers.get(name) ?? 0)
  return {
    outcome: newOutcome(),
    requestId: requestIdOf(response),
    firstByteMs: null,
    firstTextMs: null,
    totalMs: null,
    failovers: number('x-bd-provider-failover-count'),
    retries: number('x-bd-provider-retry-count'),
  }
}

interface Refusal {
  error?: {
    attempts?: { provider: string; upstream_model: string; status: number | null; error_type: string }[]
  }
}

async function refusal(response: Response): Promise<ChatError> {
  const body = (await response.json().catch(() => null)) as Refusal | null
  const trail = (body?.error?.attempts ?? []).map((attempt) => ({
    provider: attempt.provider,
    model: attempt.upstream_model,
    status: attempt.status,
    errorType: attempt.error_type,
  }))
  return new ChatError(messageOf(body, response.status), response.status, requestIdOf(response), trail)
}
