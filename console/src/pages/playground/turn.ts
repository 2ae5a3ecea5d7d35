import type { ApiError } from '$lib/api/error'
import type { ChatRequest, Progress } from '$lib/chat/send'

/** One question, and what came of it. */
export interface Turn {
  id: number
  text: string
  request: ChatRequest
  progress: Progress | null
  error: ApiError | null
  isDone: boolean
  wasStopped?: boolean
}
