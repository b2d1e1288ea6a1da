import type {Edit, Span} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import type {ParsedConfig} from '../syntax.ts'
import {binds, firstSpan} from './addresses.ts'
import {SECTIONS} from './parse.ts'

/** Folder of the file that HAProxy reads before the user's own; `start` gives it both. */
export const WRAPPER_FOLDER = 'gms-proxy-sandbox'

/**
 * What has to be said before the user's file is read, in a file of its own so that the user's lines keep their numbers: settings of the
 * sandbox, and what a fragment leaves to other files (`defaults`, without which HAProxy works on TCP; a frontend). Only lines that stand in
 * no section need a line in front of them.
 */
export function wrap(config: ParsedConfig, plan: SandboxPlan): {edits: readonly Edit[]; file: {path: string; text: string}} {
  const {entry} = config.bundle
  const directives = config.files.flatMap(file => file.directives)
  const sections = directives.filter(({name}) => SECTIONS.has(name))
  const proxies = sections.filter(({name}) => ['frontend', 'backend', 'listen'].includes(name))
  const bare = directives.some(({name}) => !SECTIONS.has(name) && !name.startsWith('.'))
  const all = directives.flatMap(directive => (SECTIONS.has(directive.name) ? (directive.block ?? []) : [directive]))
  const backend = proxies.find(({name}) => name === 'backend')?.args[0]?.value
  const listenerless = binds(config).length === 0
  const bind = `    bind ${plan.listenAddress}:${plan.ports[0] ?? 0}`

  // Logs go to standard output, which the runtime keeps. A descriptor limit of this machine is not a fault of the file. Without
  // noreuseport two runs at once could share a port without a word.
  const lines = [
    '# The sandbox: read before the file that is judged',
    'global',
    '    log stdout format raw local0',
    '    no strict-limits',
    '    noreuseport',
  ]
  if (plan.user) lines.push(`    user ${plan.user.name}`, `    group ${plan.user.group}`)
  const isFragment = !sections.some(({name}) => name === 'global' || name === 'defaults')
  if (isFragment && (bare || proxies.length > 0) && !all.some(({name}) => name === 'mode')) {
    lines.push('', '# What the fragment leaves to other files', 'defaults', '    mode http', '    log global', '    option httplog')
    lines.push('    timeout connect 5s', '    timeout client 50s', '    timeout server 50s')
  }
  if (listenerless && backend !== undefined)
    lines.push('', 'frontend fragment', ...(isFragment ? [] : ['    mode http', '    log global']), bind, `    default_backend ${backend}`)

  const section = listenerless && backend === undefined ? `listen fragment\n${bind}\n` : 'listen fragment\n'
  const edits: Edit[] = bare ? [{span: firstSpan(config), text: section, why: 'lines without a section need one'}] : []
  const text = config.bundle.files.find(file => file.path === entry)?.text ?? ''
  if (isFragment && text !== '' && !text.endsWith('\n'))
    edits.push({span: endOf(entry, text), text: '\n', why: 'the last line of a file has to end'})
  return {edits, file: {path: `${WRAPPER_FOLDER}/${entry}`, text: `${lines.join('\n')}\n`}}
}

function endOf(file: string, text: string): Span {
  const lines = text.split('\n')
  return {file, start: text.length, end: text.length, line: lines.length, column: (lines.at(-1) ?? '').length + 1}
}
