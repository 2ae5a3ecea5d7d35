import { Gateway } from './gateway.ts'
import { furnish } from './scene.ts'

// A furnished gateway with the console, until it is interrupted: for looking at it by hand.
const gateway = await Gateway.start()
await furnish(gateway)
process.stdout.write(`${gateway.linkFor('admin')}\n${gateway.address}\n${gateway.apiKey}\n`)
process.once('SIGINT', () => void gateway.stop())
