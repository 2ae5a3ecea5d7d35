import type { User } from '$lib/api/types'

/** How people are called: their e-mail, else the name that their issuer gives. */
export function userName(user: Pick<User, 'email' | 'subject'>): string {
  return user.email ?? user.subject
}

/** Names by id, for lists that carry ids. */
export function namesById(users: User[] | undefined): Map<string, string> {
  return new Map((users ?? []).map((user) => [user.id, userName(user)]))
}

/** Every group that anyone is in. */
export function groupsOf(users: User[] | undefined): string[] {
  return [...new Set((users ?? []).flatMap((user) => user.groups_override ?? user.groups))].sort()
}
