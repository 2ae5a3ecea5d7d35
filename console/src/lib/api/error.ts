/** A refused or failed request, in words that can be shown. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** HTTP status; 0 where no answer came. */
    readonly status: number,
    /** The answer's `x-request-id`, by which operators find it in the log. */
    readonly requestId: string | null,
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

const WITHOUT_WORDS: Record<number, string> = {
  401: 'Your session has ended. Sign in again.',
  403: 'Your role does not allow this.',
  404: 'This no longer exists. Someone may have deleted it.',
  413: 'This is too large.',
  502: 'The gateway could not be reached. Try again in a moment.',
  503: 'The gateway is starting or stopping. Try again in a moment.',
}

/** What to say of an answer whose body is `body`. */
export function messageOf(body: unknown, status: number): string {
  const said = worded(body)
  return said ?? WITHOUT_WORDS[status] ?? `The gateway answered with status ${status}.`
}

/** The message of the API's own errors, and of the runtime's, which nest it. */
function worded(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null
  const { message, error } = body as { message?: unknown; error?: unknown }
  if (typeof message === 'string' && message) return sentence(message)
  if (typeof error === 'object' && error !== null) return worded(error)
  return null
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

/** Any thrown value as an error that can be shown. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  if (thrown instanceof TypeError) {
    return new ApiError('The gateway cannot be reached. Check the network and try again.', 0, null)
  }
  return new ApiError(thrown instanceof Error ? thrown.message : String(thrown), 0, null)
}

/** Whether a request was given up by ourselves, which is nothing to show. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'AbortError'
}
