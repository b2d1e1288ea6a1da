import {redact} from '../../model/redact.ts'
import type {Refusal} from '../proxy.ts'
import type {Argument, ParsedConfig} from '../syntax.ts'
import {addressIn, SCHEME} from './addresses.ts'
import type {Placed} from './tree.ts'
import {isData, walk} from './tree.ts'
import {namesIn, valuesOf} from './variables.ts'

/** Directives that open connections to what their argument names. */
const PASS = /^(?:proxy|grpc|fastcgi|uwsgi|scgi|memcached|redis2?|tunnel|ajp)_pass$/
const VARIABLE = /\$(?:\{\w+\}|\w+)/g
/** Begin with `/` or `?`: what stands in front of them is the whole address. */
const PATH_VARIABLE = /\$\{?(?:request_uri|uri|document_uri|is_args)\b/
/** What a request of the sandbox says: it never names anything but the sandbox. */
const OF_THE_REQUEST = /^(?:scheme|host|http_host|server_port|http_x_forwarded_(?:proto|host|port))$/
const ADDRESS_LIKE = /^[0-9A-Fa-f.:[\]]*$/
/** A name that could become an address when something is put behind it. */
const NUMERIC = /^[0-9.[]/

/**
 * Targets that cannot be moved to the simulated nodes, because the text does not say where they lead. Names that only exist at run time are
 * harmless (the sandbox has no resolver); addresses put together from pieces are not.
 */
export function unfollowable(config: ParsedConfig): readonly Refusal[] {
  return new Targets(config).refusals()
}

class Targets {
  private readonly places: readonly Placed[]
  private readonly upstreams: ReadonlySet<string>
  private readonly captured: ReadonlySet<string>
  /** Why what the request says is not the client's own word any more. */
  private readonly spoiled: string | undefined
  /** A rewrite makes paths that do not begin with a slash. */
  private readonly loosePaths: boolean

  constructor(private readonly config: ParsedConfig) {
    this.places = walk(config)
    const directives = this.places.filter(place => !isData(place))
    this.upstreams = new Set(
      directives.flatMap(({directive: {name, args, block}, around}) =>
        name === 'upstream' && block && args[0] ? [`${around[0]?.name === 'stream'} ${args[0].value.toLowerCase()}`] : [],
      ),
    )
    const words = this.places.flatMap(({directive: {name, args}}) => [name, ...args.map(({value}) => value)])
    this.captured = new Set(words.flatMap(word => [...word.matchAll(/\(\?P?[<'](\w+)[>']/g)].map(([, name]) => `${name}`)))
    const named = directives.some(
      ({directive: {name, args}}) => name === 'server_name' && args.some(({value}) => ADDRESS_LIKE.test(value) && /\d/.test(value)),
    )
    const replaced = directives.some(({directive}) => directive.name === 'more_set_input_headers')
    this.loosePaths = directives.some(
      ({directive: {name, args}}) => name === 'rewrite' && args[1] !== undefined && !/^(?:\/|https?:|\$scheme:)/.test(args[1].value),
    )
    this.spoiled = named ? 'server_name is an address' : replaced ? 'more_set_input_headers changes it' : undefined
  }

  refusals(): readonly Refusal[] {
    return this.places.flatMap(place => {
      const {directive, around} = place
      const [argument] = directive.args
      if (isData(place) || !argument) return []
      const isServer = directive.name === 'server' && !directive.block && around.at(-1)?.name === 'upstream'
      if (!isServer && !(PASS.test(directive.name) && around[0]?.name !== 'mail')) return []
      const because = isServer ? this.movable(argument) : this.judge(argument, around[0]?.name === 'stream', 0)
      return because === undefined ? [] : [{directive: directive.name, because, span: directive.span}]
    })
  }

  private movable(argument: Argument): string | undefined {
    return addressIn(argument)
      ? undefined
      : `the address ${redact(argument.value)} cannot be moved into the sandbox: write host and port plainly`
  }

  /** Why the target cannot be followed; `undefined` when all of it can. */
  private judge(argument: Argument, stream: boolean, depth: number): string | undefined {
    if (depth > 4) return 'its target goes through too many variables to be followed'
    const scheme = SCHEME.exec(argument.value)?.[0] ?? ''
    const rest = argument.value.slice(scheme.length)
    const end = [rest.search(/[/?#]/), rest.search(PATH_VARIABLE)].filter(at => at >= 0)
    const authority = rest.startsWith('unix:') ? rest : rest.slice(0, Math.min(rest.length, ...end))
    const unclear = `where ${redact(argument.value)} leads cannot be said before it runs`
    for (const name of namesIn(scheme)) {
      const because = this.variable(name, unclear, stream, depth)
      if (because !== undefined) return because
    }
    const [literal = ''] = authority.split('$')
    const behind = rest.slice(authority.length)
    if (behind.startsWith('$') && this.loosePaths) return unclear
    if (literal !== '') {
      if (!this.isUpstream(literal, stream)) return this.movable(argument)
      return NUMERIC.test(literal) && rest.slice(literal.length).startsWith('$') ? unclear : undefined
    }
    if (authority === '') return behind.startsWith('//') ? unclear : undefined
    const residue = authority.replace(VARIABLE, '')
    if (authority.endsWith(':') || /unix/i.test(residue) || (scheme === '' && behind.startsWith('//'))) return unclear
    if (!ADDRESS_LIKE.test(residue)) return undefined
    if (!/^(?::\d*)?$/.test(residue)) return unclear
    for (const name of namesIn(authority)) {
      const because = this.variable(name, unclear, stream, depth)
      if (because !== undefined) return because
    }
    return undefined
  }

  private variable(name: string, unclear: string, stream: boolean, depth: number): string | undefined {
    if (this.captured.has(name) || /^\d$/.test(name)) return `${unclear}: $${name} is a part of some other text`
    const values = valuesOf(`$${name}`, this.places, this.config)
    if (values === undefined) return `${unclear}: $${name} is computed`
    for (const value of values) {
      const because = this.judge(value, stream, depth + 1)
      if (because !== undefined) return because
    }
    if (values.length > 0) return undefined
    if (!OF_THE_REQUEST.test(name)) return `${unclear}: nothing here says what $${name} is`
    return this.spoiled !== undefined && /host$/.test(name) ? `${unclear}: ${this.spoiled}` : undefined
  }

  private isUpstream(name: string, stream: boolean): boolean {
    return this.upstreams.has(`${stream} ${name.toLowerCase()}`)
  }
}
