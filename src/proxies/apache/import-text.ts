import type {Directive, ParsedConfig} from '../syntax.ts'
import type {Line} from './site-lines.ts'

/** A file that this tool has rendered, in reading order. */
export interface Rendered {
  config: ParsedConfig
  lines: readonly Line[]
  /** `VirtualHost` sections of the chat, in order. */
  hosts: readonly Directive[]
  /** `VirtualHost` of the counters. */
  metrics?: Directive
  comments: readonly string[]
}

/** The same names in balancers and rewriting as this tool gives them; `undefined` for everything else. */
export function renderedFrom(config: ParsedConfig, lines: readonly Line[]): Rendered | undefined {
  const named = (name: string) => lines.some(line => line.name === 'proxy' && line.values[0] === name)
  const marks = lines.some(({name, values}) => name === 'rewriterule' && values[2]?.includes('E=gms_upgrade:websocket') === true)
  if (!named('balancer://gms') || !named('balancer://gms-websocket') || !marks) return undefined
  const all = lines.filter(({name, directive}) => name === 'virtualhost' && directive.block).map(({directive}) => directive)
  const metrics = all.find(host => lines.some(line => line.name === 'proxystatus' && isIn(line, host)))
  const hosts = all.filter(host => host !== metrics && lines.some(line => line.name === 'proxypass' && isIn(line, host)))
  if (hosts.length === 0) return undefined
  const comments = config.files.flatMap(({comments: own = []}) => own.map(({text}) => text))
  return {config, lines, hosts, ...(metrics ? {metrics} : {}), comments}
}

export function isIn(line: Line, section: Directive): boolean {
  return line.within.some(({directive}) => directive === section)
}

/** Of the first comment that says so, what stands in its brackets. */
export function said(comments: readonly string[], pattern: RegExp): string | undefined {
  for (const text of comments) {
    const match = pattern.exec(text)
    if (match) return match[1] ?? ''
  }
  return undefined
}
