import type {HeaderSource} from '../site.ts'
import type {Exchange} from './exchange.ts'
import {regex} from './patterns.ts'
import {bool, isExact, none, number, sourceOf, textOf, unknown} from './sample.ts'
import type {Sample} from './sample.ts'

/** A step of an expression: the fetch, then converters. */
export interface Step {
  name: string
  args: readonly string[]
}

/** What a converter makes of a sample (manual, section 7.3.1); those that are not here give `unknown`. */
export function convert(sample: Sample, {name, args}: Step, exchange: Exchange): Sample {
  if (name === 'iif') {
    const value = sample.is === 'bool' ? sample.bool : undefined
    return value === undefined
      ? lost(sample, name)
      : keep(sample, (value ? args[0] : args[1]) ?? '', sample.touches.has('scheme') ? 'scheme' : 'text')
  }
  if (sample.is === 'none' || sample.is === 'unknown') return sample
  if (name === 'not' && sample.is === 'bool') return {...sample, bool: !sample.bool}
  if (name === 'bool') return {...bool(Number(textOf(sample)) !== 0), touches: sample.touches}
  const value = textOf(sample) ?? ''
  const [first = '', second = ''] = args
  switch (name) {
    case 'lower':
      return keep(sample, value.toLowerCase())
    case 'upper':
      return keep(sample, value.toUpperCase())
    case 'host_only':
      return keep(sample, value.replace(/:\d+$/, ''), 'host-without-port')
    case 'port_only':
      return keep(sample, /:(\d+)$/.exec(value)?.[1] ?? '0', 'text')
    case 'field':
    case 'word':
      return part(sample, value, name, first, second)
    case 'url_dec':
      return keep(sample, decoded(value))
    case 'length':
      return {...number(value.length), touches: sample.touches}
    case 'regsub': {
      const pattern = regex(first, args[2]?.includes('i') ?? false)
      if (!pattern) return lost(sample, name)
      const expression = args[2]?.includes('g') ? new RegExp(pattern.source, `${pattern.flags}g`) : pattern
      return keep(
        sample,
        value.replace(
          expression,
          second.replaceAll('$', '$$$$').replace(/\\(\d)/g, (_, digit: string) => (digit === '0' ? '$&' : `$${digit}`)),
        ),
      )
    }
    case 'concat': {
      const variable = textOf(exchange.variables.get(args[1] ?? '') ?? none())
      return variable === undefined ? lost(sample, name) : keep(sample, value + first + variable + (args[2] ?? ''))
    }
    case 'strcmp':
    case 'equals':
      return lost(sample, name)
    default:
      return /^map(?:_(?:str|beg|dom|dir|end|sub|reg|int|ip))?(?:_(?:str|int|ip))?$/.test(name)
        ? mapped(sample, value, name, args, exchange)
        : lost(sample, name)
  }
}

function keep(sample: Sample, value: string, from?: HeaderSource): Sample {
  const source = from ?? sourceOf(sample)
  return {
    is: 'text',
    text: value,
    from: source === 'client' && from === undefined ? 'client' : source,
    exact: isExact(sample),
    touches: sample.touches,
  }
}

function lost(sample: Sample, name: string): Sample {
  return {...unknown(`${name} is not followed`), touches: sample.touches}
}

/** `field` counts empty pieces, `word` does not; negative numbers count from the end. */
function part(sample: Sample, value: string, kind: string, index: string, delimiters: string): Sample {
  const at = Number(index)
  const pieces = split(value, delimiters).filter(piece => kind === 'field' || piece !== '')
  const piece = at > 0 ? pieces[at - 1] : pieces.at(at)
  const isHost = sample.is === 'text' && sample.from === 'host' && delimiters === ':' && at === 1
  return piece === undefined ? {is: 'none', touches: sample.touches} : keep(sample, piece, isHost ? 'host-without-port' : undefined)
}

function split(value: string, delimiters: string): readonly string[] {
  const pieces = ['']
  for (const sign of value)
    if (delimiters.includes(sign)) pieces.push('')
    else pieces.push((pieces.pop() ?? '') + sign)
  return pieces
}

function decoded(value: string): string {
  return value.replace(/(?:%[0-9A-Fa-f]{2})+/g, escaped => Buffer.from(escaped.replaceAll('%', ''), 'hex').toString('latin1'))
}

/** `map_beg(file,default)`: the first line whose key matches. */
function mapped(sample: Sample, value: string, name: string, [path = '', otherwise]: readonly string[], exchange: Exchange): Sample {
  const text = exchange.fileText(path)
  if (text === undefined) return {...unknown(`${path} is not at hand`), touches: sample.touches}
  const kind = name.split('_')[1] ?? 'str'
  const entries = text.split('\n').flatMap(line => {
    const [, key, to] = /^\s*([^\s#]\S*)\s+(.*?)\s*$/.exec(line) ?? []
    return key === undefined ? [] : [{key, to: to ?? ''}]
  })
  const matches = {
    str: (key: string) => value === key,
    int: (key: string) => value === key,
    ip: (key: string) => value === key,
    beg: (key: string) => value.startsWith(key),
    end: (key: string) => value.endsWith(key),
    sub: (key: string) => value.includes(key),
    dom: (key: string) => `.${value.replace(/[/?:]/g, '.')}.`.includes(`.${key}.`),
    dir: (key: string) => `/${value}/`.includes(`/${key}/`),
    reg: (key: string) => regex(key, false)?.test(value) ?? false,
  }[kind]
  // the longest prefix wins in a tree of prefixes (manual, "map_beg")
  const ordered = kind === 'beg' ? [...entries].sort((a, b) => b.key.length - a.key.length) : entries
  const found = ordered.find(({key}) => matches?.(key))?.to ?? otherwise
  return found === undefined ? {is: 'none', touches: sample.touches} : keep(sample, found, 'text')
}
