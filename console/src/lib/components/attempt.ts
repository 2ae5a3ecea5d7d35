import { asApiError } from '$lib/api/error'
import { notices } from './toasts.svelte'

/** Does something that has no form of its own to show a refusal in; whether it was done. */
export async function attempt(action: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await action()
    notices.done(done)
    return true
  } catch (thrown) {
    const error = asApiError(thrown)
    notices.failed(error.message, error.requestId)
    return false
  }
}
