import type {Directive} from '../syntax.ts'
import type {Setting} from '../site.ts'
import type {Scope} from './site-scope.ts'
import {dropped, homeFor, mayChange, replaced, setting, textOf} from './site-setting.ts'
import {sizeOf} from './site-units.ts'
import {sourceOf, textIn} from './site-values.ts'
import type {Moment, Variables} from './site-values.ts'

/** Arguments `name=value` of a line. */
export function parameter({args}: Directive, name: string): string | undefined {
  return args.find(({value}) => value.startsWith(`${name}=`))?.value.slice(name.length + 1)
}

/** The zone that a line names counts by the address of the client. */
function countsClients(
  block: Scope,
  kind: 'limit_conn_zone' | 'limit_req_zone',
  zone: string,
  moment: Moment,
  variables: Variables,
): Directive | undefined {
  const line = block
    .up('http')
    ?.all(kind)
    .find(candidate => parameter(candidate, 'zone')?.split(':')[0] === zone)
  if (!line) return undefined
  const key = variables.evaluate(line.args[0]?.value ?? '', moment)
  if (textIn(key) === '') return undefined
  const source = sourceOf(key)
  return source === 'peer' || source === 'client-and-peer' || /\$(?:binary_)?remote_addr\b/.test(line.args[0]?.value ?? '')
    ? line
    : undefined
}

const isDry = (block: Scope, name: string) => block.holder(name)?.first(name)?.args[0]?.value === 'on'

/** The tightest `limit_conn` by client address. */
export function connectionsPerClient(block: Scope, moment: Moment, variables: Variables): Setting<number | undefined> {
  const holder = block.holder('limit_conn')
  const limits = isDry(block, 'limit_conn_dry_run')
    ? []
    : (holder?.all('limit_conn') ?? [])
        .filter(({args}) => countsClients(block, 'limit_conn_zone', args[0]?.value ?? '', moment, variables))
        .map(line => ({line, most: Number(line.args[1]?.value)}))
        .filter(({most}) => Number.isInteger(most))
        .sort((a, b) => a.most - b.most)
  const [tightest] = limits
  return setting({
    value: tightest?.most,
    directive: 'limit_conn',
    text: tightest ? textOf(tightest.line) : 'no limit_conn',
    span: tightest?.line.span,
    home: homeFor(block, ['location', 'server', 'http']).home,
    put: argument =>
      !tightest || !holder || !mayChange(holder)
        ? []
        : argument === ''
          ? dropped(holder, tightest.line, 'no limit of connections')
          : replaced(tightest.line, `${tightest.line.args[0]?.raw ?? ''} ${argument}`),
  })
}

/** The tightest `limit_req` by client address. `put('')` takes the line out; an argument is that of `rate=`. */
export function requestsPerSecond(block: Scope, moment: Moment, variables: Variables): Setting<{rate: number; burst: number} | undefined> {
  const holder = block.holder('limit_req')
  const limits = isDry(block, 'limit_req_dry_run')
    ? []
    : (holder?.all('limit_req') ?? []).flatMap(line => {
        const zone = countsClients(block, 'limit_req_zone', parameter(line, 'zone') ?? '', moment, variables)
        const [, number, unit] = /^(\d+)r\/([sm])$/.exec((zone && parameter(zone, 'rate')) ?? '') ?? []
        if (!zone || number === undefined) return []
        return [{line, zone, rate: Number(number) / (unit === 'm' ? 60 : 1), burst: sizeOf(parameter(line, 'burst') ?? '0') ?? 0}]
      })
  const [tightest] = [...limits].sort((a, b) => a.rate - b.rate || a.burst - b.burst)
  return setting({
    value: tightest && {rate: tightest.rate, burst: tightest.burst},
    directive: 'limit_req',
    text: tightest ? `${textOf(tightest.zone)}; ${textOf(tightest.line)}` : 'no limit_req',
    span: tightest?.line.span,
    home: homeFor(block, ['location', 'server', 'http']).home,
    put: argument => {
      if (!tightest || !holder) return []
      if (argument === '') return mayChange(holder) ? dropped(holder, tightest.line, 'no limit of requests') : []
      const rate = tightest.zone.args.find(({value}) => value.startsWith('rate='))
      return rate ? [{span: rate.span, text: `rate=${argument}`, why: `limit_req_zone rate=${argument}`}] : []
    },
  })
}
