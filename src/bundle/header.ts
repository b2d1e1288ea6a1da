import {createHash} from 'node:crypto'
import {basename} from 'node:path'
import {shellWord} from '../model/shell.ts'
import type {ConfigFile} from '../model/bundle.ts'
import type {ProxyName} from '../model/catalogue.ts'
import type {Parameters} from '../parameters/schema.ts'
import type {Layout} from '../proxies/proxy.ts'

/** What a person asked for, as far as it decides what is written. */
export interface Asked {
  proxy: ProxyName
  /** Parameters file as it was named, `-` for stdin; absent when there was none. */
  file?: string
  /** `KEY=VALUE` of `--set`, in order. */
  overrides: readonly string[]
  /** As it was asked for, else the version that was taken: the newest of a later tool may be another one. */
  version: string
  layout: Layout
  fragment: boolean
}

/** Characters. nginx reads a comment of at most 4096 bytes (ngx_conf_file.c, NGX_CONF_BUFFER); 3 bytes for each of these are less. */
const LONGEST_COMMAND = 1200
const MARKS = {tool: 'Written by gms-proxy ', parameters: 'Parameters: sha256 ', command: 'Again: '} as const
/** Lines of a file among which its header begins. */
const WITHIN = 10
const WRITTEN_FOR = new RegExp(String.raw`^# ${MARKS.tool}\S+ for (\D+) (\d+(?:\.\d+)+), layout `)
const HEADER_LINE = new RegExp(`^# (?:${Object.values(MARKS).join('|')})`)

/**
 * Lines of the comment on top of every file: the tool that wrote it, the parameters, the command that writes it again. Nothing in it
 * depends on the folder, the user or the time: the same parameters give the same text everywhere. `more` are words of the command, and
 * `remark` is said behind it.
 */
export function headerLines(
  toolVersion: string,
  title: string,
  parameters: Parameters,
  asked: Asked,
  more: readonly string[] = [],
  remark?: string,
): readonly string[] {
  return [
    `${MARKS.tool}${toolVersion} for ${title} ${asked.version}, layout ${asked.layout}: change the parameters, not this file`,
    `${MARKS.parameters}${digestOf(parameters)}`,
    `${MARKS.command}${commandLine(asked, more)}${remark === undefined ? '' : `    # ${remark}`}`,
  ]
}

/** SHA-256 of the parameters as they are meant, 16 hexadecimal digits: order, spelling and defaults written out change nothing. */
export function digestOf({$schema: _, ...parameters}: Parameters): string {
  return createHash('sha256')
    .update(JSON.stringify(parameters, (_key, value: unknown) => (isPlain(value) ? sorted(value) : value)))
    .digest('hex')
    .slice(0, 16)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sorted(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function commandLine({proxy, file, overrides, version, layout, fragment}: Asked, more: readonly string[]): string {
  const words = (sets: readonly string[]) =>
    [
      ...['gms-proxy', 'render', proxy],
      // The base name alone: the same file, named from another folder, is the same configuration.
      ...(file === undefined ? [] : ['--params', file === '-' ? '-' : basename(file)]),
      ...sets.flatMap(set => ['--set', set]),
      ...['--proxy-version', version, '--layout', layout],
      ...(fragment ? ['--fragment'] : []),
      ...more,
    ]
      .map(shellWord)
      .join(' ')
  const whole = words(overrides)
  return whole.length <= LONGEST_COMMAND ? whole : `${words([])} and ${overrides.length} × --set, too long to repeat here`
}

/** A file without its header, and the header's lines. */
function splitHeader(text: string): {header: readonly string[]; body: string} {
  const lines = text.split('\n')
  const first = lines.slice(0, WITHIN).findIndex(line => line.startsWith(`# ${MARKS.tool}`))
  if (first < 0) return {header: [], body: text}
  let end = first
  while (HEADER_LINE.test(lines[end] ?? '')) end++
  return {header: lines.slice(first, end), body: [...lines.slice(0, first), ...lines.slice(end)].join('\n')}
}

/** What a file says it was written for, such as `nginx` and `1.30.0`; `undefined` when this tool has not written it. */
export function writtenFor(text: string): {title: string; version: string} | undefined {
  const [first = ''] = splitHeader(text).header
  const [, title, version] = WRITTEN_FOR.exec(first) ?? []
  return title === undefined || version === undefined ? undefined : {title, version}
}

/** Why two files differ in their headers only, for a person; `undefined` when more differs, or nothing. */
export function headerDifference(present: ConfigFile['text'], wanted: ConfigFile['text']): string | undefined {
  const [before, now] = [splitHeader(present), splitHeader(wanted)]
  if (before.body !== now.body || present === wanted) return undefined
  const line = (header: readonly string[], mark: string) => header.find(each => each.startsWith(`# ${mark}`))?.slice(mark.length + 2)
  const changed = (mark: string) => line(before.header, mark) !== line(now.header, mark)
  if (before.header.length === 0) return 'it has no header'
  if (now.header.length === 0) return 'it has a header'
  const versions = [before.header, now.header].map(header => line(header, MARKS.tool)?.split(' ')[0] ?? 'an unknown version')
  const reasons = [
    ...(versions[0] !== versions[1] ? [`it was written by gms-proxy ${versions[0]}, this is ${versions[1]}`] : []),
    ...(changed(MARKS.parameters) ? ['the parameters differ in something that does not change this file'] : []),
    ...(changed(MARKS.command) ? ['another command writes it'] : []),
  ]
  return reasons.length === 0 ? 'the words of the header are others' : reasons.join('; ')
}
