export interface Toast {
  id: number
  kind: 'done' | 'failed'
  text: string
  requestId?: string | null
}

const SHOWN_MS = 6000

let toasts = $state<Toast[]>([])
let made = 0

/** Short notices of what was done, or failed, away from any form. */
export const notices = {
  get all(): Toast[] {
    return toasts
  },

  done(text: string): void {
    const id = add({ kind: 'done', text })
    setTimeout(() => notices.dismiss(id), SHOWN_MS)
  },

  /** Stays until it is dismissed: people should be able to copy the request's id. */
  failed(text: string, requestId?: string | null): void {
    add({ kind: 'failed', text, requestId: requestId ?? null })
  },

  dismiss(id: number): void {
    toasts = toasts.filter((toast) => toast.id !== id)
  },
}

function add(toast: Omit<Toast, 'id'>): number {
  const id = ++made
  toasts = [...toasts.slice(-3), { ...toast, id }]
  return id
}
