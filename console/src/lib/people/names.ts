import type { User } from '$lib/api/types'

/** How people are called: their e-mail, else the name that their issuer gives. */
export function userName(user: Pick<User, 'email' | 'subject'>): string {
  return user.email ?? user.subject
}

/** Every group that anyone is in. */
export function groupsOf(users: User[] | undefined): string[] {
  return [...new Set((users ?? []).flatMap((user) => user.groups_override ?? user.groups))].sort()
}
