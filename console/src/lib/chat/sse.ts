/**
 * Takes the bytes of an event stream as they come, and gives the data of each event that is whole.
 * Lines may end with LF, CRLF or CR; several `data` lines are one event; the rest is left out.
 */
export class SseReader {
  #decoder = new TextDecoder()
  #rest = ''
  #data: string[] = []

  push(bytes: Uint8Array): string[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true })
    const events: string[] = []
    for (let line = this.#nextLine(); line !== null; line = this.#nextLine()) {
      if (line !== '') this.#take(line)
      else if (this.#data.length > 0) {
        events.push(this.#data.join('\n'))
        this.#data = []
      }
    }
    return events
  }

  #nextLine(): string | null {
    const end = this.#rest.search(/[\r\n]/)
    if (end === -1) return null
    // A CR at the very end may be the first half of a CRLF.
    if (this.#rest[end] === '\r' && end === this.#rest.length - 1) return null
    const line = this.#rest.slice(0, end)
    this.#rest = this.#rest.slice(this.#rest.startsWith('\r\n', end) ? end + 2 : end + 1)
    return line
  }

  #take(line: string): void {
    if (!line.startsWith('data:')) return
    const value = line.slice('data:'.length)
    this.#data.push(value.startsWith(' ') ? value.slice(1) : value)
  }
}
