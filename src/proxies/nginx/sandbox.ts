import type {Edit, Span} from '../../model/bundle.ts'
import type {Refusal, SandboxPlan, SandboxResult} from '../proxy.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import {listenersOf, nameServerArguments, nodePlaces, portsBehindHosts} from './addresses.ts'
import {certificateChange} from './certificates.ts'
import type {Change} from './change.ts'
import {opening, quoted, removal, replaceArguments} from './change.ts'
import {balancerEdits, clientEdits} from './sandbox-clients.ts'
import {includeChange, moduleChange} from './sandbox-files.ts'
import type {SandboxRow} from './sandbox-table.ts'
import {CODE_ARGUMENTS, SANDBOX} from './sandbox-table.ts'
import {unfollowable} from './targets.ts'
import type {Placed} from './tree.ts'
import {isData, kindOf, walk} from './tree.ts'

/** The file around a fragment. Numbers as in the `nginx.conf` of the official image. */
const WRAPPER = 'gms-proxy-sandbox.conf'
const WRAPPER_CONNECTIONS = 1024
/** Nothing listens there: what is not GMS stays unreachable. */
const NOWHERE = '127.0.0.1:9'

/** Logs, listeners and channels of a worker, taken off the limit of this machine. */
const OWN_FILES = 100

/** Applies the table of `sandbox-table.ts` and moves listeners, nodes, modules and includes. */
export function sandbox(config: ParsedConfig, plan: SandboxPlan): SandboxResult {
  const places = walk(config).filter(place => !isData(place) || place.directive.name === 'include')
  const changes = places.map(place => changeOf(place, config, plan))
  const removed = changes.flatMap(({edits}) => edits.filter(({text}) => text === '').map(({span}) => span))
  const stands = ({span}: Edit) =>
    !removed.some(
      gone => gone.file === span.file && gone.start <= span.start && span.end <= gone.end && gone.end - gone.start > span.end - span.start,
    )
  const additions = missing(places, plan)
  const edits = distinct([
    ...clientEdits(places, plan),
    ...balancerEdits(places, plan),
    ...changes.flatMap(change => change.edits),
    ...listenerEdits(config, plan),
    ...nodeEdits(config, plan),
  ]).filter(stands)
  const refused = plan.allowExec ? [] : once([...changes.flatMap(change => change.refused ?? []), ...unfollowable(config)])
  const kind = kindOf(config)
  if (kind !== 'complete')
    return {edits, added: [{path: wrapperName(config), text: wrapper(config, plan, kind, additions)}], entry: wrapperName(config), refused}
  return {
    edits: [...edits, ...additions.flatMap(addition => insertion(addition, places, config))],
    added: [],
    entry: config.bundle.entry,
    refused,
  }
}

/** A file that is included twice is changed once. */
function distinct(edits: readonly Edit[]): readonly Edit[] {
  return [...new Map(edits.map(edit => [`${edit.span.file}:${edit.span.start}:${edit.span.end}:${edit.text}`, edit])).values()]
}

/** One complaint a place: what stands in a block that is refused goes with it. */
function once(refused: readonly Refusal[]): readonly Refusal[] {
  const places = new Map(refused.map(refusal => [`${refusal.span.file}:${refusal.span.start}`, refusal]))
  const within = (inner: Span, outer: Span) => inner.file === outer.file && inner.start > outer.start && inner.end <= outer.end
  return [...places.values()].filter(({span}) => ![...places.values()].some(other => within(span, other.span)))
}

function changeOf(place: Placed, config: ParsedConfig, plan: SandboxPlan): Change {
  const {directive} = place
  if (directive.name === 'include') return includeChange(directive, config, plan)
  if (directive.name === 'load_module') return moduleChange(directive, plan)
  if (directive.name === 'user') return {edits: userEdits(directive, plan)}
  if (directive.name === 'resolver') return {edits: resolverEdits(directive, plan)}
  if (['worker_connections', 'worker_rlimit_nofile'].includes(directive.name)) return {edits: capped(directive, plan)}
  for (const {directive: name, argument, why} of CODE_ARGUMENTS)
    if (name.test(directive.name) && directive.args.some(({value}) => argument.test(value)))
      return {edits: [], refused: {directive: directive.name, because: why, span: directive.span}}
  const certified = certificateChange(place, config, plan)
  if (certified) return certified
  const row = SANDBOX.find(candidate => matches(candidate, place))
  if (!row) return {edits: []}
  if (row.op === 'refuse') return {edits: [], refused: {directive: directive.name, because: row.why, span: directive.span}}
  if (row.op === 'remove') return {edits: [removal(directive, row.why)]}
  if (directive.block) return {edits: []}
  if (/\{(?:authority|certificate|key)\}/.test(row.value)) {
    if (!plan.certificates) return {edits: [removal(directive, 'nothing in this configuration speaks TLS')]}
    if (directive.args[0]?.value === '') return {edits: []}
  }
  const value = filled(row.value.replaceAll('{n}', String(directive.span.start)), plan)
  if (row.op === 'set') return {edits: replaceArguments(directive, [value], row.why)}
  if (directive.args[0]?.value === 'off') return {edits: []}
  const kept = directive.args.slice(1).filter(({value: argument}) => !row.drop?.some(prefix => argument.startsWith(prefix)))
  return {edits: replaceArguments(directive, [value, ...kept.map(({raw}) => raw)], row.why)}
}

function matches(row: SandboxRow, {directive, around}: Placed): boolean {
  if (typeof row.directive === 'string' ? row.directive !== directive.name : !row.directive.test(directive.name)) return false
  return (
    row.context === 'anywhere' || row.op === 'refuse' || (row.context === 'main' ? around.length === 0 : around.at(-1)?.name === 'http')
  )
}

function filled(value: string, plan: SandboxPlan): string {
  const {authority, certificate, key} = plan.certificates ?? {}
  const places: Readonly<Record<string, string | undefined>> = {folder: plan.folder, authority, certificate, key}
  return value
    .split(' ')
    .map(word => (/\{\w+\}/.test(word) ? quoted(word.replace(/\{(\w+)\}/g, (whole, name: string) => places[name] ?? whole)) : word))
    .join(' ')
}

interface Addition {
  context: 'main' | 'http'
  line: string
  why: string
}

/** What the table demands and the file does not say. */
function missing(places: readonly Placed[], plan: SandboxPlan): readonly Addition[] {
  const found: Addition[] = []
  const has = (name: string, context: 'main' | 'http') =>
    places.some(
      ({directive, around}) =>
        directive.name === name && (context === 'main' ? around.length === 0 : around.length === 1 && around[0]?.name === 'http'),
    )
  const add = (name: string, context: 'main' | 'http', value: string, why: string) => {
    if (!has(name, context)) found.push({context, line: `${name} ${filled(value, plan)};`, why})
  }
  if (plan.user) add('user', 'main', `${plan.user.name} ${plan.user.group}`, 'workers run as this user')
  for (const row of SANDBOX) {
    if (row.op !== 'set' && row.op !== 'path') continue
    if (row.unless !== undefined && plan.installation.builtin.includes(row.unless)) continue
    if (row.op === 'set' && row.context !== 'anywhere') add(row.directive, row.context, row.value, row.why)
    if (row.op === 'path' && row.fallback) add(row.directive, row.fallback.context, row.fallback.value, row.why)
  }
  return found
}

/** Puts a directive at the top of the file, or first into `http {}`; on a line that exists, so that the lines of the user's file keep their numbers. */
function insertion({context, line, why}: Addition, places: readonly Placed[], config: ParsedConfig): readonly Edit[] {
  if (context === 'main') return [{span: {file: config.bundle.entry, start: 0, end: 0, line: 1, column: 1}, text: `${line} `, why}]
  const http = places.find(({directive, around}) => directive.name === 'http' && directive.block && around.length === 0)?.directive
  if (!http) return []
  return [opening(http, line, why)]
}

function wrapperName({bundle}: ParsedConfig): string {
  let name = WRAPPER
  while (bundle.files.some(({path}) => path === name)) name = `_${name}`
  return name
}

function wrapper(config: ParsedConfig, plan: SandboxPlan, kind: 'http' | 'server', additions: readonly Addition[]): string {
  const lines = (context: 'main' | 'http') => additions.filter(addition => addition.context === context).map(({line}) => line)
  const include = `include ${quoted(`${plan.folder}/${config.bundle.entry}`)};`
  const hasListen = listenersOf(config)[0]?.listens.length
  const listen = hasListen ? [] : [`listen ${plan.listenAddress}:${plan.ports[0] ?? 0};`]
  const body = kind === 'http' ? [include] : ['server {', ...[...listen, include].map(line => `    ${line}`), '}']
  return [
    '# What a fragment needs around it to run.',
    ...lines('main'),
    'worker_processes auto;',
    `events {\n    worker_connections ${WRAPPER_CONNECTIONS};\n}`,
    'http {',
    ...[...lines('http'), ...roomForNames(config), ...body].map(line => `    ${line}`),
    '}',
    '',
  ].join('\n')
}

/** The file around a fragment decides how long its host names may be. */
function roomForNames(config: ParsedConfig): readonly string[] {
  const names = ['server_names_hash_bucket_size', 'server_names_hash_max_size']
  return walk(config).some(({directive}) => names.includes(directive.name)) ? [] : [`${names[0]} 512;`, `${names[1]} 8192;`]
}

function userEdits(directive: Directive, plan: SandboxPlan): Edit[] {
  if (!plan.user) return [removal(directive, 'nginx is started without privileges')]
  return replaceArguments(directive, [plan.user.name, plan.user.group], 'workers run as a user of this machine')
}

function resolverEdits(directive: Directive, {nameServer}: SandboxPlan): Edit[] {
  const why = nameServer === undefined ? 'no name is looked up in the sandbox: nodes are addresses here' : 'the name server of the sandbox'
  return nameServerArguments(directive).map(({span}) => ({span, text: nameServer ?? NOWHERE, why}))
}

function capped(directive: Directive, plan: SandboxPlan): Edit[] {
  const [argument] = directive.args
  if (plan.openFiles === undefined || !argument) return []
  const limit = directive.name === 'worker_connections' ? plan.openFiles - OWN_FILES : plan.openFiles
  return Number(argument.value) > limit
    ? replaceArguments(directive, [String(limit)], `this machine allows a process ${plan.openFiles} open files`)
    : []
}

function listenerEdits(config: ParsedConfig, plan: SandboxPlan): readonly Edit[] {
  const why = 'listens on a free port of the sandbox'
  const fragment = kindOf(config) === 'server'
  return listenersOf(config).flatMap(({listens, silent}, index): Edit[] => {
    const address = `${plan.listenAddress}:${plan.ports[index] ?? 0}`
    const moved = listens.flatMap(({span}): Edit[] => [{span, text: address, why}, ...listenOptionEdits(config, span)])
    const added = fragment ? [] : silent.map(server => opening(server, `listen ${address};`, why))
    return [...moved, ...added]
  })
}

/** Options of `listen` that only fit the address that was there. */
function listenOptionEdits(config: ParsedConfig, span: Span): readonly Edit[] {
  const listen = walk(config).find(
    ({directive}) => directive.name === 'listen' && directive.args[0]?.span.start === span.start && directive.span.file === span.file,
  )?.directive
  const unfit = listen?.args.slice(1).filter(({value}) => /^(?:ipv6only|fastopen|setfib|accept_filter|rcvbuf|sndbuf)=/.test(value)) ?? []
  return unfit.map(({span: place}) => ({span: place, text: '', why: 'does not fit the address of the sandbox'}))
}

function nodeEdits(config: ParsedConfig, plan: SandboxPlan): readonly Edit[] {
  const places = nodePlaces(config)
  const distinct = [...new Set(places.filter(({foreign}) => !foreign).map(({address}) => address))]
  const moved = places.map(({address, scheme, span, foreign, tls, followed}) => {
    const node = plan.nodes[distinct.indexOf(address) % Math.max(1, plan.nodes.length)]
    if (foreign && !distinct.includes(address))
      return {span, text: `${scheme ?? ''}${NOWHERE}`, why: 'not a GMS node: unreachable in the sandbox'}
    const speaks = tls ? 'https://' : 'http://'
    const name = followed && plan.nameServer !== undefined ? address.replace(/:\d+$/, '') : undefined
    const place = name === undefined || node === undefined ? node : `${name}:${node.replace(/^.*:/, '')}`
    return {span, text: `${scheme === undefined ? '' : speaks}${place ?? NOWHERE}`, why: 'the GMS node of the sandbox'}
  })
  const moves = ({file, start}: Span) => places.some(({span}) => span.file === file && span.start === start)
  const ports = portsBehindHosts(config)
    .filter(({hosts}) => hosts.every(moves))
    .map(({port}) => ({span: port, text: '', why: 'the node of the sandbox brings its port'}))
  return [...moved, ...ports]
}
