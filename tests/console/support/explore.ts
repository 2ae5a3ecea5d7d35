import { serveConsole } from './console.ts'
import { Gateway } from './gateway.ts'
import { furnish } from './scene.ts'

// A furnished gateway with the console, until it is interrupted: for looking at it by hand.
const gateway = await Gateway.start()
await furnish(gateway)
const site = await serveConsole(gateway)
process.stdout.write(`${site.linkFor('admin')}\n${gateway.address}\n${gateway.apiKey}\n`)
process.once('SIGINT', () => {
  void site.stop()
  void gateway.stop()
})
