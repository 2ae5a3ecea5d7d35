import { onDestroy } from 'svelte'
import { keysFound } from '$lib/keys/found'
import { usersFound } from './found'
import { groupsOf } from './names'

/** Groups to offer while one is typed: those of the people and of the keys that the gateway finds. */
export function groupsFound() {
  const users = usersFound()
  const keys = keysFound('all')
  const names = $derived.by(() => {
    const ofKeys = keys.list.rows.flatMap((key) => (key.group_name ? [key.group_name] : []))
    const all = new Set([...groupsOf(users.list.rows), ...ofKeys])
    const wanted = users.text.trim().toLowerCase()
    return [...all].filter((name) => name.toLowerCase().includes(wanted)).sort()
  })
  onDestroy(() => {
    users.stop()
    keys.stop()
  })

  return {
    get names() {
      return names
    },
    /** Looks for what has `text`, as it is typed. */
    look(text: string): void {
      users.look(text)
      keys.look(text)
    },
    /** Some to begin with. */
    begin(): void {
      void users.begin()
      void keys.begin()
    },
  }
}
