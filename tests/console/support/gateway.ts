import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { startProvider, type Provider } from './provider.ts'

const BINARY = process.env.TURNPIKE_BIN ?? path.resolve(import.meta.dirname, '../../../target/debug/turnpike')
const START_MS = 30_000

export type Role = 'user' | 'admin' | 'superadmin'

/** Who signs in as which role. */
export const PEOPLE: Record<Role, string> = {
  user: 'uma@example.com',
  admin: 'ada@example.com',
  superadmin: 'sam@example.com',
}

/** A gateway of its own, in a folder of its own, with the simulated vendor in it. */
export class Gateway {
  private constructor(
    private readonly provider: Provider,
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly environment: NodeJS.ProcessEnv,
    readonly address: string,
    /** The key that quickstart printed. */
    readonly apiKey: string,
    /** The link into the console that it printed. */
    readonly firstLink: string,
  ) {}

  static async start(): Promise<Gateway> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'turnpike-console-'))
    const [port, metricsPort] = [await freePort(), await freePort()]
    const provider = await startProvider()
    const environment = {
      PATH: process.env.PATH,
      TURNPIKE_SERVER__LISTEN: `127.0.0.1:${port}`,
      TURNPIKE_METRICS__LISTEN: `127.0.0.1:${metricsPort}`,
      TURNPIKE_STORAGE__DATA_DIR: path.join(folder, 'data'),
      TURNPIKE_AUTH__ISSUERS: provider.issuers,
    }
    const child = spawn(BINARY, ['quickstart'], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const { apiKey, firstLink } = await printedBy(child)
      const gateway = new Gateway(provider, child, folder, environment, `http://127.0.0.1:${port}`, apiKey, firstLink)
      await gateway.ready()
      return gateway
    } catch (error) {
      child.kill('SIGKILL')
      await provider.stop()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** A token for the admin and user API. */
  token(role: Role, options: string[] = []): string {
    return this.tokenFor('default', PEOPLE[role], role, options)
  }

  /** A token of anyone, of any organization: one that is not there is made. */
  tokenFor(organization: string, user: string, role: Role, options: string[] = []): string {
    return this.printed(['token', '--org', organization, '--user', user, '--role', role, ...options])
  }

  /** A page whose opening signs someone in to the console, once. */
  linkFor(role: Role): string {
    return this.printed(['console-link', '--org', 'default', '--user', PEOPLE[role], '--role', role])
  }

  private printed(args: string[]): string {
    const printed = execFileSync(BINARY, args, { cwd: this.folder, env: this.environment })
    return printed.toString().trim()
  }

  /** The admin or user API, for what a test needs to be there. */
  async api<T>(method: string, at: string, body?: unknown, role: Role = 'admin'): Promise<T> {
    return this.caller(this.token(role))<T>(method, at, body)
  }

  /** The same for many calls with one token: to print one takes longer than a call. */
  caller(token: string): <T>(method: string, at: string, body?: unknown) => Promise<T> {
    return async <T>(method: string, at: string, body?: unknown): Promise<T> => {
      const response = await fetch(`${this.address}/api/llm-gateway${at}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${at}: ${response.status} ${text}`)
      return JSON.parse(text) as T
    }
  }

  /** One request of a client, so that there is usage to report; its status. */
  async chat(model: string, text: string, options: { stream?: boolean; key?: string } = {}): Promise<number> {
    const response = await fetch(`${this.address}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${options.key ?? this.apiKey}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({
        model,
        stream: options.stream ?? false,
        messages: [{ role: 'user', content: text }],
      }),
    })
    await response.arrayBuffer()
    return response.status
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await ended
    await this.provider.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async ready(): Promise<void> {
    const deadline = Date.now() + START_MS
    for (;;) {
      const response = await fetch(`${this.address}/readyz`).catch(() => null)
      if (response?.ok) return
      if (Date.now() > deadline) throw new Error('the gateway did not start')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function printedBy(child: ChildProcess): Promise<{ apiKey: string; firstLink: string }> {
  return new Promise((resolve, reject) => {
    let printed = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      const apiKey = /API key: (bd-\w+)/.exec(printed)?.[1]
      const firstLink = /(http:\S+\/auth\/link\S+)\s/.exec(printed)?.[1]
      if (apiKey && firstLink) resolve({ apiKey, firstLink })
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${printed}`)))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
