/** What the gateway says of a request, gathered while its answer streams. */
export interface Outcome {
  text: string
  reasoning: string
  finishReason: string | null
  inputTokens: number | null
  outputTokens: number | null
  cachedTokens: number | null
  cost: number | null
  usedModel: string | null
  usedProvider: string | null
  trail: Step[]
  /** An error that came within the stream. */
  error: string | null
}

/** A route that was tried. */
export interface Step {
  provider: string
  model: string
  status: number | null
  errorType: string
}

export function newOutcome(): Outcome {
  return {
    text: '',
    reasoning: '',
    finishReason: null,
    inputTokens: null,
    outputTokens: null,
    cachedTokens: null,
    cost: null,
    usedModel: null,
    usedProvider: null,
    trail: [],
    error: null,
  }
}

interface Chunk {
  model?: string
  choices?: {
    delta?: { content?: string | null; reasoning?: string | null; reasoning_content?: string | null }
    finish_reason?: string | null
  }[]
  usage?: {
    prompt_tokens?: number
    completion_tokens?: number
    cost_usd_total?: number | null
    prompt_tokens_details?: { cached_tokens?: number }
  } | null
  metadata?: {
    used_model?: string
    used_provider?: string
    routing?: { provider: string; model: string; status_code: number | null; error_type: string }[]
  }
  error?: { message?: string }
}

/** `outcome` with one more event of the stream in it. */
export function withEvent(outcome: Outcome, data: string): Outcome {
  if (data === '[DONE]') return outcome
  const chunk = parsed(data)
  if (!chunk) return outcome
  const delta = chunk.choices?.[0]?.delta
  return {
    ...outcome,
    text: outcome.text + (delta?.content ?? ''),
    reasoning: outcome.reasoning + (delta?.reasoning ?? delta?.reasoning_content ?? ''),
    finishReason: chunk.choices?.[0]?.finish_reason ?? outcome.finishReason,
    ...usageOf(outcome, chunk),
    ...routeOf(outcome, chunk),
    error: chunk.error ? (chunk.error.message ?? 'The stream ended with an error.') : outcome.error,
  }
}

function usageOf(outcome: Outcome, { usage }: Chunk): Partial<Outcome> {
  return {
    inputTokens: usage?.prompt_tokens ?? outcome.inputTokens,
    outputTokens: usage?.completion_tokens ?? outcome.outputTokens,
    cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? outcome.cachedTokens,
    cost: usage?.cost_usd_total ?? outcome.cost,
  }
}

function routeOf(outcome: Outcome, { model, metadata }: Chunk): Partial<Outcome> {
  return {
    usedModel: metadata?.used_model ?? model ?? outcome.usedModel,
    usedProvider: metadata?.used_provider ?? outcome.usedProvider,
    trail:
      metadata?.routing?.map((step) => ({
        provider: step.provider,
        model: step.model,
        status: step.status_code,
        errorType: step.error_type,
      })) ?? outcome.trail,
  }
}

function parsed(data: string): Chunk | null {
  try {
    return JSON.parse(data) as Chunk
  } catch {
    return null
  }
}
