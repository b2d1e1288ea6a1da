import {X509Certificate} from 'node:crypto'
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../cli/base-command.ts'
import {tlsIdentity} from '../cli/certificate.ts'
import {parseFault} from '../cli/fault-flag.ts'
import {formatFlag, listOf, outputFlags, parameterFlags} from '../cli/flags.ts'
import {watchRequests} from '../cli/request-lines.ts'
import {OPTION_NAMES, simulatorOptions} from '../cli/simulator-options.ts'
import {Desk, type PageFiles} from '../desk/desk.ts'
import {EnvironmentError, UsageError} from '../errors.ts'
import {loadForeignParameters} from '../parameters/load.ts'
import {sessionCookieOf} from '../parameters/session-cookie.ts'
import {harmless} from '../report/plain.ts'
import {RequestLog} from '../simulator/request-log.ts'
import {startSimulator} from '../simulator/simulator.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {DEFAULT_CHAT_SERVICE} from '../wire/chat.ts'

/** Enough for a person; the log of a long-lived simulator does not grow. */
const KEPT_REQUESTS = 2000
/** A comma that ends one `NAME=VALUE` and begins the next. */
const BETWEEN_OPTIONS = /,(?=[a-z-]+=)/

export default class Simulate extends BaseCommand {
  static override summary = 'Simulated GMS nodes and a page to try them, until interrupted'
  static override description = `The same strict simulator that verify uses: CometD over WebSocket, long-polling and callback-polling, chats with an agent who answers, push, files and health. Nodes share chats and files but no sessions. At / each node has a page that chats over each transport, shows what both sides sent, and switches faults and nodes on and off; the same can be done over HTTP on the control port (loopback only, header x-simulator-control: GET /_simulator/state, POST /_simulator/nodes/gms1 {"action":"stop"}, POST /_simulator/faults {"fault":{"kind":"hang"},"on":["publish"]}, DELETE /_simulator/faults, POST /_simulator/agent {"says":"hello"}).

The addresses go to stdout, what arrives to stderr; with --format json both are lines of JSON on stdout. From the parameters polling.hold and upload.maxFileSize are taken.

Options of GMS for --option NAME=VALUE: ${OPTION_NAMES.join(', ')}.`
  static override examples = [
    {description: 'Two nodes on ports the system chooses', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'Three nodes on 8080, 8081 and 8082', command: '<%= config.bin %> <%= command.id %> --nodes 3 --port 8080'},
    {
      description: 'A GMS that holds polls for 5 s and answers three messages late',
      command: `<%= config.bin %> <%= command.id %> --option hold=5s --fault 'delay=2s on=publish times=3'`,
    },
  ]
  static override flags = {
    nodes: Flags.string({env: 'GMS_PROXY_NODES', helpValue: 'N', default: '2', summary: 'Number of nodes'}),
    port: Flags.string({env: 'GMS_PROXY_PORT', helpValue: 'PORT', summary: 'Port of the first node; the others follow'}),
    host: Flags.string({env: 'GMS_PROXY_HOST', helpValue: 'ADDRESS', default: '127.0.0.1', summary: 'Address to listen on'}),
    'control-port': Flags.string({
      env: 'GMS_PROXY_CONTROL_PORT',
      helpValue: 'PORT',
      summary: 'Port of the control calls, on 127.0.0.1; chosen by the system when not given',
    }),
    option: Flags.string({
      env: 'GMS_PROXY_OPTION',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
      summary: 'Decide how GMS behaves: hold=5s, agent=silent, auth=user:password (repeatable)',
    }),
    fault: Flags.string({
      env: 'GMS_PROXY_FAULT',
      helpValue: 'FAULT',
      multiple: true,
      multipleNonGreedy: true,
      summary: "Begin with a fault: hang, status=503, 'delay=2s on=publish transport=websocket node=gms1 times=3' (repeatable)",
    }),
    tls: Flags.boolean({env: 'GMS_PROXY_TLS', summary: 'Speak https and wss, with a throw-away certificate'}),
    certificate: Flags.string({
      env: 'GMS_PROXY_CERTIFICATE',
      helpValue: 'FILE',
      summary: 'Speak https and wss with this certificate (PEM)',
    }),
    key: Flags.string({env: 'GMS_PROXY_KEY', helpValue: 'FILE', summary: 'Key of the certificate (PEM, not encrypted)'}),
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
    if (flags.host === '')
      throw new UsageError('--host is empty', {suggestions: ['Name an address of this machine, or leave --host out for 127.0.0.1.']})
    const controlPort = flags['control-port'] === undefined ? 0 : whole('control-port', flags['control-port'], 1, 65_535)
    const decided = simulatorOptions(listOf(flags.option, BETWEEN_OPTIONS))
    const faults = listOf(flags.fault).map(parseFault)
    const request = this.parametersRequest(flags)
    const stated = request && (await loadForeignParameters(request)).parameters
    const sessionCookie = stated && sessionCookieOf(stated)
    const tls = await tlsIdentity(flags)

    await using desk = new Desk({page: await this.#page(), port: controlPort, chatService: decided.chatService ?? DEFAULT_CHAT_SERVICE})
    await desk.listen()
    await using simulator = await startSimulator({
      nodes,
      host: flags.host,
      ...(first === undefined ? {} : {ports: Array.from({length: nodes}, (_, index) => first + index)}),
      ...(stated ? {holdMs: stated.polling.hold, maxFileSize: stated.upload.maxFileSize} : {}),
      ...(sessionCookie ? {sessionCookie} : {}),
      ...(stated?.affinity.mode === 'none' ? {commonSessions: true} : {}),
      ...decided,
      ...(tls ? {tls} : {}),
      log: new RequestLog(KEPT_REQUESTS, desk.feed.read),
      beside: desk.serve,
      logger: this.logger(flags, message => this.note(harmless(message))),
    })
    const scheme = tls ? 'https' : 'http'
    desk.attach(simulator, scheme)
    for (const fault of faults) simulator.faults.add(fault)
    const origins = simulator.nodes.map(({name, host, port}) => ({
      name,
      url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    }))
    const addresses = origins.map(({name, url}) => ({name, url: url + COMETD_PATH}))
    const json = flags.format === 'json'
    await this.result(
      json
        ? JSON.stringify({
            event: 'listening',
            nodes: addresses,
            pages: origins.map(({url}) => `${url}/`),
            control: `${desk.url}/_simulator/`,
          })
        : addresses.map(({name, url}) => `${name}  ${url}`).join('\n'),
    )
    if (!json && !flags.quiet) {
      this.note(`page     ${origins[0]?.url ?? ''}/`)
      this.note(`control  ${desk.url}/_simulator/`)
      if (tls?.throwAway === true) this.note(`throw-away certificate, SHA-256 ${new X509Certificate(tls.cert).fingerprint256}`)
      this.note('until interrupted (Ctrl-C)')
    }
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

  /** The files stand beside the program: no other verb loads them. */
  async #page(): Promise<PageFiles> {
    const folder = join(this.config.root, 'dist/page')
    const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
    try {
      const [html, css, js] = await Promise.all([read('index.html'), read('style.css'), read('page.js')])
      return {html, css, js}
    } catch (error) {
      throw new EnvironmentError(`The page of the simulator is missing in ${folder}`, {suggestions: ['npm run build'], cause: error})
    }
  }
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!/^\d{1,6}$/.test(text) || value < least || value > most)
    throw new UsageError(`--${flag} ${text}: expected a whole number from ${least} to ${most}`)
  return value
}
