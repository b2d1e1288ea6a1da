import {createHash} from 'node:crypto'
import type {Edit, Span} from '../../model/bundle.ts'
import type {Refusal, SandboxPlan, SandboxResult} from '../proxy.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import {binds, isQuic, listeners, nodeArgument, isFollowed, nameServers} from './addresses.ts'
import {bindFiles} from './certificates.ts'
import {fileReferences} from './files.ts'
import {gmsNodes} from './gms-nodes.ts'
import {hiddenMeaning, hiddenWord} from './hidden.ts'
import {quoteWord, statements} from './parse.ts'
import type {Statement} from './parse.ts'
import {reachesOut} from './reach.ts'
import type {ArgumentRow} from './sandbox-table.ts'
import {BIND_ARGUMENTS, DIRECTIVES, PEERS_ARGUMENT, SECTION_ROWS, SERVER_ARGUMENTS, SERVER_TLS_ARGUMENTS, VALUED} from './sandbox-table.ts'
import {BALANCER_WHY, balancerNetworks} from '../sandbox-clients.ts'
import {headerRules} from './proxy-header.ts'
import {clientEdits} from './sandbox-clients.ts'
import {serverFiles, serverTls} from './upstream-tls.ts'
import {writtenOut} from './variables.ts'
import {wrap} from './wrapper.ts'

/** Nobody listens there (discard). */
const NOWHERE = '127.0.0.1:9'

/** Makes any HAProxy configuration runnable in `plan.folder`: the rows of `sandbox-table.ts`, then addresses, logs, sockets and files. */
export function sandbox(config: ParsedConfig, plan: SandboxPlan): SandboxResult {
  const edits = new Map<string, Edit>()
  const refused: Refusal[] = []
  const put = (span: Span, text: string, why: string) => {
    const key = `${span.file}:${span.start}`
    if (!edits.has(key)) edits.set(key, {span, text, why})
  }
  /** Words behind a word: those of others who need the same place follow. */
  const append = ({span}: Argument, words: string, why: string) => {
    const place = {...span, start: span.end}
    const known = edits.get(`${place.file}:${place.start}`)
    if (known?.span.end === place.end) edits.set(`${place.file}:${place.start}`, {...known, text: `${known.text} ${words}`})
    else put(place, ` ${words}`, why)
  }
  const comment = (directive: Directive, why: string) => put({...directive.nameSpan, end: directive.nameSpan.start}, '# ', why)
  const refuse = (directive: Directive, because: string) => refused.push({directive: nameOf(directive), because, span: directive.span})

  const gone = new Set<Directive>()
  const ownPeers = new Set<string>()
  for (const top of config.files.flatMap(file => file.directives)) {
    const row = SECTION_ROWS.find(({section}) => section === top.name)
    if (!row || (top.name === 'resolvers' && plan.nameServer !== undefined)) continue
    if (keepsToItself(top)) {
      ownPeers.add(top.args[0]?.value ?? '')
      for (const {span, value} of top.block?.flatMap(({args}) => args[1] ?? []) ?? [])
        put(
          span,
          `${value}-${createHash('sha256').update(plan.folder).digest('hex').slice(0, 12)}`,
          'another HAProxy on this machine may have that name',
        )
      continue
    }
    if (row.op === 'comment') for (const directive of [top, ...(top.block ?? [])]) comment(directive, row.why)
    else if (!plan.allowExec) refuse({...top, span: {...top.nameSpan, end: top.args.at(-1)?.span.end ?? top.nameSpan.end}}, row.why)
    for (const directive of top.block ?? []) gone.add(directive)
  }

  for (const {directive, because} of hiddenMeaning(config)) refuse(directive, because)
  const asWritten = statements(config)
  const variables: Argument[] = []
  const remaining: Statement[] = []
  writtenOut(config).forEach(({statement, replaced, unclear}, i) => {
    const original = asWritten[i] ?? statement
    if (gone.has(original.directive)) return
    const hidden = hiddenWord(original) ?? (unclear ? 'a variable hides what the line does' : undefined)
    if (hidden !== undefined && !plan.allowExec) {
      refuse(original.directive, hidden)
      return
    }
    remaining.push(statement)
    if (hidden === undefined) variables.push(...replaced)
  })
  if (!plan.allowExec) for (const {directive, because} of reachesOut(remaining)) refuse(directive, because)
  const tlsServers = remaining.filter(statement => nodeArgument(statement) && serverTls(statement, remaining))
  /** What a line says of how nodes are reached. */
  const reach = (statement: Statement, from: number) => {
    const {directive, owner, section} = statement
    const speaksTls = tlsServers.some(server => section === 'defaults' || server.owner === owner)
    const asks = plan.nameServer !== undefined
    const rows = SERVER_ARGUMENTS.filter(({path}) => !asks || !/^resolve/.test(path))
    dropArguments(directive, from, speaksTls ? rows : [...rows, ...SERVER_TLS_ARGUMENTS], put)
    if (speaksTls) serverFiles(directive, from, plan, put)
  }
  const sockets = {count: 0}
  const logged = new Set<Directive | undefined>()
  for (const statement of remaining) {
    const {directive, words, section} = statement
    const row = DIRECTIVES.find(
      ({path, section: only}) => (only === undefined || section === only || section === '') && startsWith(words, path),
    )
    if (row?.op === 'refuse') {
      if (!plan.allowExec) refuse(directive, row.why)
    } else if (row) comment(directive, row.why)
    else if (words[0] === 'log') moveLog(statement, logged, {put, comment})
    else if (startsWith(words, 'stats socket')) moveSocket(directive, `${plan.folder}/stats-${++sockets.count}.sock`, {put})
    else if (words[0] === 'bind' && isQuic(directive)) comment(directive, 'clients of the chat come over TCP: HTTP/3 is not driven')
    else if (words[0] === 'bind') {
      dropArguments(directive, 1, BIND_ARGUMENTS, put)
      bindFiles(directive, config, plan, put)
    } else if (words[0] === 'server' || words[0] === 'server-template') reach(statement, 2)
    else if (startsWith(words, 'http-check connect') || startsWith(words, 'tcp-check connect')) reach(statement, 1)
    else if (words[0] === 'default-server') reach(statement, 0)
    else if (words[0] === 'stick-table' && !ownPeers.has(words[words.indexOf('peers') + 1] ?? ''))
      dropArguments(directive, 0, [PEERS_ARGUMENT], put)
  }

  const ports = new Map(listeners(config).map(({address}, i) => [address, plan.ports[i] ?? plan.ports[0] ?? 0]))
  for (const {argument, addresses} of binds(config)) {
    put(
      argument.span,
      [...new Set(addresses.map(address => `${plan.listenAddress}:${ports.get(address) ?? 0}`))].join(','),
      'the listener moves to a free port',
    )
  }
  const places = new Map(
    [...new Set(gmsNodes(config).map(({address}) => address))].map((address, i) => [address, plan.nodes[i] ?? plan.nodes.at(-1) ?? '']),
  )
  for (const statement of asWritten) {
    const argument = gone.has(statement.directive) ? undefined : nodeArgument(statement)
    if (!argument) continue
    const place = places.get(argument.value)
    if (place === undefined) put(argument.span, NOWHERE, 'not a GMS node: unreachable in the sandbox')
    else if (plan.nameServer === undefined || !isFollowed(statement, asWritten)) put(argument.span, place, 'the node is a simulated one')
    else
      put(
        argument.span,
        // what the system would have said when it started
        `${argument.value.replace(/:\d+$/, '')}:${place.replace(/^.*:/, '')} init-addr ${place.replace(/:\d+$/, '')}`,
        'the node is a simulated one, and the name server of the sandbox knows its name',
      )
  }
  if (plan.nameServer !== undefined)
    for (const span of nameServers(config)) {
      const isLine = config.bundle.files.find(({path}) => path === span.file)?.text.startsWith('parse-resolv-conf', span.start)
      put(span, isLine ? `nameserver sandbox ${plan.nameServer}` : plan.nameServer, 'the name server of the sandbox')
    }

  const {trusted, unclear} = headerRules(config)
  for (const directive of unclear)
    comment(directive, 'whether its condition holds cannot be told: clients of the sandbox come without a PROXY protocol header')
  const balancer = balancerNetworks(plan).join(' ')
  if (balancer !== '') for (const argument of new Set(trusted)) append(argument, balancer, BALANCER_WHY)
  for (const {argument, text, why} of clientEdits(
    remaining.map(({directive}) => directive),
    plan,
  ))
    append(argument, text, why)
  for (const reference of fileReferences(remaining)) {
    if (reference.hidden) {
      refuse(reference.directive, 'it hides the name of the file it reads behind quotes, escapes or variables')
      continue
    }
    const target = placeOf(reference.path, config, plan)
    if (target !== undefined) {
      if (target !== reference.path) put(reference.span, reference.quoted ? quoteWord(target) : target, 'the file lies in the sandbox')
    } else if (reference.optional) comment(reference.directive, 'an error page of the installation; the answer stays the same')
    else
      refused.push({
        directive: nameOf(reference.directive),
        because: `it reads ${reference.path}, which is not inside the given folder`,
        span: reference.directive.span,
      })
  }

  // What was judged is what is run: a variable becomes the value that was looked at.
  for (const {span, value} of variables) {
    const isMoved = [...edits.values()].some(
      ({span: other}) => other.file === span.file && other.start < span.end && span.start < other.end,
    )
    if (!isMoved) put(span, quoteWord(value), 'the sandbox has no environment: the variable is written out')
  }

  const wrapper = wrap(config, plan)
  for (const edit of wrapper.edits) put(edit.span, edit.text, edit.why)
  return {edits: [...edits.values()], added: [wrapper.file], entry: wrapper.file.path, refused}
}

/** A `peers` section by which a process talks to its successor alone, over a socket that has no place on disk. */
function keepsToItself({name, block = []}: Directive): boolean {
  return (
    name === 'peers' &&
    block.length === 1 &&
    block.every(member => member.name === 'peer' && member.args.length === 2 && /^abns@[\w.-]+$/.test(member.args[1]?.value ?? ''))
  )
}

function nameOf(directive: Directive): string {
  return [directive.name, ...directive.args.slice(0, 1).map(({value}) => value)].join(' ')
}

function startsWith(words: readonly string[], path: string): boolean {
  return path.split(' ').every((word, i) => words[i]?.split('(')[0] === word)
}

interface Hands {
  put: (span: Span, text: string, why: string) => void
  comment: (directive: Directive, why: string) => void
}

/** `log` in `global` is replaced by the line of the wrapper; elsewhere the first target becomes `global`, others go. */
function moveLog({directive, section, owner, words}: Statement, logged: Set<Directive | undefined>, {put, comment}: Hands): void {
  const target = directive.args[0]
  if (directive.name === 'no' || words[1] === 'global' || !target) {
    logged.add(owner)
    return
  }
  if (section === 'global' || logged.has(owner)) comment(directive, 'logs go to standard output, once')
  else put({...target.span, end: directive.span.end}, 'global', 'logs go to standard output')
  logged.add(owner)
}

/** `stats socket ADDRESS mode … level …`: the address moves into the sandbox, owners are dropped. */
function moveSocket(directive: Directive, path: string, {put}: Pick<Hands, 'put'>): void {
  const address = directive.args[1]
  if (address) put(address.span, path, 'the socket lies in the sandbox')
  dropArguments(
    directive,
    2,
    ['user', 'group', 'uid', 'gid'].map(word => ({path: word, values: 1, why: 'the sandbox runs as a user of its own'})),
    put,
  )
}

/** Takes words and their values out of a line, together with the white space in front of them. */
function dropArguments(directive: Directive, from: number, rows: readonly ArgumentRow[], put: Hands['put']): void {
  for (let i = from; i < directive.args.length; i++) {
    const word = directive.args[i]
    const row = rows.find(({path}) => path === word?.value)
    if (word && VALUED.has(word.value)) i++
    if (!word || !row) continue
    const before = directive.args[i - 1]?.span ?? directive.nameSpan
    const last = directive.args[Math.min(i + row.values, directive.args.length - 1)] ?? word
    put({...word.span, start: before.end, column: word.span.column - (word.span.start - before.end), end: last.span.end}, '', row.why)
    i += row.values
  }
}

/** Path of a file as the sandboxed proxy has to write it; `undefined` when it may not be read. */
function placeOf(path: string, config: ParsedConfig, plan: SandboxPlan): string | undefined {
  const root = config.bundle.root
  const relative = path.startsWith('/')
    ? root !== undefined && path.startsWith(`${root}/`)
      ? path.slice(root.length + 1)
      : undefined
    : path.replace(/^(\.\/)+/, '')
  if (relative !== undefined && config.bundle.files.some(file => file.path === relative)) return `${plan.folder}/${relative}`
  const stock = plan.installation.stockFolder
  // Only its pages of errors: the rest of that folder is the configuration of this machine, with its passwords.
  return stock !== undefined && path.startsWith(`${stock}/errors/`) && !path.split('/').includes('..') ? path : undefined
}
