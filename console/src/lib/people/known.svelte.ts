import { SvelteMap } from 'svelte/reactivity'

/** Names of some ids; what is gone has none. */
export type AskNames = (ids: string[]) => Promise<[id: string, name: string][]>

/** Most ids that the gateway is asked for at once. */
const AT_ONCE = 100

/** What the gateway takes for an id: it answers nothing at all where one of those it is asked for is none. */
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * What ids stand for, without the list of all that there are: those that are shown are asked for, each
 * until there is an answer, and those of a page together.
 */
export class KnownNames {
  readonly #names = new SvelteMap<string, string>()
  readonly #asked = new Set<string>()
  #waiting: string[] = []

  constructor(private readonly ask: AskNames) {}

  /** The name, once it is known. */
  get(id: string): string | undefined {
    const name = this.#names.get(id)
    if (name === undefined && !this.#asked.has(id) && ID.test(id)) this.#want(id)
    return name
  }

  /** As for something that was just chosen from a list. */
  tell(id: string, name: string): void {
    this.#asked.add(id)
    this.#names.set(id, name)
  }

  #want(id: string): void {
    this.#asked.add(id)
    this.#waiting.push(id)
    // Whatever is shown at the same time goes with it.
    if (this.#waiting.length === 1) setTimeout(() => void this.#askForAll())
  }

  async #askForAll(): Promise<void> {
    const ids = this.#waiting
    this.#waiting = []
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const batch = ids.slice(from, from + AT_ONCE)
      try {
        const found = await this.ask(batch)
        for (const [id, name] of found) this.#names.set(id, name)
      } catch {
        // Ids are shown as ids: a name is not worth a notice. Whoever shows them next asks again; nothing
        // that is shown changes by this, so that a gateway that is away is not asked without end.
        for (const id of batch) this.#asked.delete(id)
      }
    }
  }
}
