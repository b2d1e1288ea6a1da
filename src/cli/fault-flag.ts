import {UsageError} from '../errors.ts'
import {didYouMean} from '../parameters/suggest.ts'
import {parseDuration, parseSize} from '../parameters/units.ts'
import {FAULT_KINDS, FAULT_SCENES, type Fault, type FaultRule} from '../simulator/faults.ts'
import {BAYEUX_TRANSPORTS} from '../wire/bayeux.ts'

const WHERE = ['on', 'transport', 'node', 'times'] as const

/**
 * `--fault 'KIND[=AMOUNT] [on=SCENE+SCENE] [transport=NAME] [node=NAME] [times=N]'`.
 * @throws UsageError when it is not understood; whether it can strike is for the board to say.
 */
export function parseFault(text: string): FaultRule {
  const [first = '', ...rest] = text.trim().split(/\s+/)
  const [kind, amount] = pairOf(first)
  const fault = faultOf(kind, amount, text)
  const pairs = rest.map(pairOf)
  const where = new Map(pairs)
  const twice = pairs.find(([name], index) => pairs.some(([other], at) => at < index && other === name))
  if (twice) throw wrong(text, `${twice[0]}= is said twice`, `Write ${twice[0]}=ONE+OTHER, or a --fault for each.`)
  for (const name of where.keys())
    if (!WHERE.some(known => known === name))
      throw wrong(text, `there is no ${name}=${didYouMean(name, WHERE)}`, `Say ${WHERE.join('=, ')}= or nothing.`)
  const on = listOf('on', where.get('on'), FAULT_SCENES, text)
  const transports = listOf('transport', where.get('transport'), BAYEUX_TRANSPORTS, text)
  const nodes = where.get('node')?.split('+')
  const times = where.get('times')
  return {
    fault,
    ...(on && {on}),
    ...(transports && {transports}),
    ...(nodes && {nodes}),
    ...(times !== undefined && {times: Number(times)}),
  }
}

function faultOf(kind: string, amount: string | undefined, text: string): Fault {
  const demand = (value: number | undefined, expected: string): number => {
    if (value === undefined) throw wrong(text, `${kind} takes ${expected}`, `Write ${kind}=${expected.split(' ').at(-1) ?? ''}.`)
    return value
  }
  const known = FAULT_KINDS.find(name => name === kind)
  switch (known) {
    case undefined:
      throw wrong(text, `there is no fault "${kind}"${didYouMean(kind, FAULT_KINDS)}`, `Faults are ${FAULT_KINDS.join(', ')}.`)
    case 'delay':
      return {kind: known, ms: demand(parseDuration(amount ?? ''), 'a duration such as 2s')}
    case 'status':
      return {kind: known, status: demand(/^\d{3}$/.test(amount ?? '') ? Number(amount) : undefined, 'an HTTP status such as 503')}
    case 'slow-body':
      return {kind: known, bytesPerSecond: demand(parseSize(amount ?? ''), 'bytes per second such as 1KiB')}
    default:
      if (amount !== undefined) throw wrong(text, `${kind} takes no amount`, `Write ${kind}.`)
      return {kind: known}
  }
}

function pairOf(word: string): [string, string | undefined] {
  const equals = word.indexOf('=')
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)]
}

function listOf<T extends string>(name: string, value: string | undefined, known: readonly T[], text: string): T[] | undefined {
  return value?.split('+').map(item => {
    const found = known.find(candidate => candidate === item)
    if (found === undefined) throw wrong(text, `${name} cannot be "${item}"${didYouMean(item, known)}`, `It is one of ${known.join(', ')}.`)
    return found
  })
}

function wrong(text: string, what: string, advice: string): UsageError {
  return new UsageError(`--fault ${JSON.stringify(text)}: ${what}`, {suggestions: [advice]})
}
