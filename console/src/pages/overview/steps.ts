export interface Step {
  title: string
  text: string
  href: string
  isDone: boolean
}

export interface Known {
  isAdmin: boolean
  /** Providers that are no simulation. */
  providers: number
  models: number
  keys: number
  hasUsage: boolean
}

/** What there is to do, in order. */
export function stepsFor(known: Known): Step[] {
  const provider: Step = {
    title: 'Add a provider',
    text: 'A vendor with your credential, or a server of your own.',
    href: '/config/providers',
    isDone: known.providers > 0,
  }
  const models: Step = {
    title: 'Enable its models',
    text: 'Those that may be called, by their plain names or an alias.',
    href: '/config/models',
    isDone: known.models > 0,
  }
  const mine: Step[] = [
    {
      title: 'Try a model',
      text: 'In the playground: streamed, with its cost and its route.',
      href: '/playground',
      isDone: known.hasUsage,
    },
    {
      title: 'Create your key',
      text: 'And copy the set-up for the program that you use.',
      href: '/settings/my-models',
      isDone: known.keys > 0,
    },
  ]
  return known.isAdmin ? [provider, models, ...mine] : mine
}
