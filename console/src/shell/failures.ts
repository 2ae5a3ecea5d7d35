/** What went wrong when somebody signed in, by the name that the gateway gives it in `/?error=`. */
const FAILURES: Record<string, string> = {
  link_used:
    'This link was used already, or its time is over. `turnpike console-link` makes another, and so does a new start of `turnpike quickstart`.',
  no_provider: 'This identity provider is not set up for signing in.',
  expired: 'This sign-in has expired, or belongs to another browser. Begin again.',
  refused: 'The identity provider refused the sign-in.',
  provider_unreachable: 'The identity provider cannot be reached at the moment. Try again.',
  token_refused:
    "The identity provider's answer cannot be trusted. Whoever runs the gateway finds the reason in its log.",
  unavailable: 'The gateway cannot sign anyone in at the moment. Try again.',
  several_organizations:
    'You belong to several organizations. Choose one by adding org=<its name> to the address of the sign-in.',
  not_allowed:
    'You are known to the identity provider, but have no access here. Ask whoever runs the gateway.',
}

/** Words for a failure; names that nobody knows get some as well, and are never shown themselves. */
export function failureText(name: string): string {
  return Object.hasOwn(FAILURES, name) ? (FAILURES[name] ?? '') : 'The sign-in did not succeed. Try again.'
}
