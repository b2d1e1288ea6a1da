import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../cli/base-command.ts'
import {formatFlag, outputFlags, parameterFlags} from '../cli/flags.ts'
import {watchRequests} from '../cli/request-lines.ts'
import {UsageError} from '../errors.ts'
import {loadForeignParameters} from '../parameters/load.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'

/** Enough for a person; the log of a long-lived simulator does not grow. */
const KEPT_REQUESTS = 2000

export default class Simulate extends BaseCommand {
  static override summary = 'Simulated GMS nodes, until interrupted'
  static override description = `The same strict simulator that verify uses: CometD over WebSocket, long-polling and callback-polling, chats with an agent who answers, and files. Nodes share chats and files but no sessions. The addresses go to stdout, what arrives to stderr; with --format json both are lines of JSON on stdout. From the parameters polling.hold and upload.maxFileSize are taken.`
  static override examples = [
    {description: 'Two nodes on ports the system chooses', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'Three nodes on 8080, 8081 and 8082', command: '<%= config.bin %> <%= command.id %> --nodes 3 --port 8080'},
  ]
  static override flags = {
    nodes: Flags.string({env: 'GMS_PROXY_NODES', helpValue: 'N', default: '2', summary: 'Number of nodes'}),
    port: Flags.string({env: 'GMS_PROXY_PORT', helpValue: 'PORT', summary: 'Port of the first node; the others follow'}),
    host: Flags.string({env: 'GMS_PROXY_HOST', helpValue: 'ADDRESS', default: '127.0.0.1', summary: 'Address to listen on'}),
    params: parameterFlags.params,
    set: parameterFlags.set,
    ...formatFlag(['text', 'json']),
    ...outputFlags,
  }

  async run(): Promise<void> {
    const {flags} = await this.parse(Simulate)
    const nodes = whole('nodes', flags.nodes, 1, 100)
    const first = flags.port === undefined ? undefined : whole('port', flags.port, 1, 65_535)
    if (first !== undefined && first + nodes - 1 > 65_535)
      throw new UsageError(`--port ${first}: there are no ${nodes} ports from there on`)
    const request = this.parametersRequest(flags)
    const stated = request && (await loadForeignParameters(request)).parameters
    await using simulator = await startSimulator({
      nodes,
      host: flags.host,
      ...(first === undefined ? {} : {ports: Array.from({length: nodes}, (_, index) => first + index)}),
      ...(stated ? {holdMs: stated.polling.hold, maxFileSize: stated.upload.maxFileSize} : {}),
      keptRequests: KEPT_REQUESTS,
      logger: this.logger(flags),
    })
    const addresses = simulator.nodes.map(({name, host, port}) => ({
      name,
      url: `http://${host.includes(':') ? `[${host}]` : host}:${port}${COMETD_PATH}`,
    }))
    const json = flags.format === 'json'
    await this.result(
      json ? JSON.stringify({event: 'listening', nodes: addresses}) : addresses.map(({name, url}) => `${name}  ${url}`).join('\n'),
    )
    if (!json && !flags.quiet) this.note('until interrupted (Ctrl-C)')
    using _watching = watchRequests(simulator.recorder, async line => {
      if (json) await this.result(JSON.stringify(line))
      else if (!flags.quiet) this.note(line.text)
    })
    await new Promise<void>(resolve => {
      this.signal.addEventListener('abort', () => resolve(), {once: true})
      // Whoever read along has gone away: nobody is served any more.
      if (json) process.stdout.once('close', resolve)
    })
    this.signal.throwIfAborted()
  }
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d{1,6}$/.test(text) || value < least || value > most)
    throw new UsageError(`--${flag} ${text}: expected a whole number from ${least} to ${most}`)
  return value
}
