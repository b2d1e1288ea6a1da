import type {Edit} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import type {Directive} from '../syntax.ts'
import {BALANCER_WHY, balancerNetworks, clientNetworks, CLIENTS_WHY, isNetwork} from '../sandbox-clients.ts'
import {isAnnounced} from './addresses.ts'
import {opening} from './change.ts'
import type {Placed} from './tree.ts'

/** Lets the users of the sandbox through lists of networks: `allow … deny all` of a block, and `geo` variables that decide about a `return`. */
export function clientEdits(places: readonly Placed[], plan: SandboxPlan): readonly Edit[] {
  const networks = clientNetworks(plan)
  const deciding = new Set(places.flatMap(({directive}) => refusingVariable(directive) ?? []))
  return places.flatMap(({directive}): readonly Edit[] => {
    const {block = [], name} = directive
    if (name === 'geo') {
      const value = deciding.has(directive.args.at(-1)?.value ?? '') ? admitting(block) : undefined
      // nginx warns of a network that is named twice.
      const missing = networks.filter(network => !block.some(line => line.name === network))
      if (value === undefined || missing.length === 0) return []
      return [opening(directive, missing.map(network => `${network} ${value};`).join(' '), CLIENTS_WHY)]
    }
    const admits = block.some(line => line.name === 'allow' && isNetwork(line.args[0]?.value ?? ''))
    const refuses = block.some(line => line.name === 'deny' && line.args[0]?.value === 'all')
    return admits && refuses ? [opening(directive, networks.map(network => `allow ${network};`).join(' '), CLIENTS_WHY)] : []
  })
}

/**
 * Beside the load balancers that a block trusts, that of the sandbox. A block that trusts nobody stays so, and a server without PROXY protocol
 * knows it not.
 */
export function balancerEdits(places: readonly Placed[], plan: SandboxPlan): readonly Edit[] {
  const networks = balancerNetworks(plan)
  if (networks.length === 0) return []
  const trust = networks.map(network => `set_real_ip_from ${network};`).join(' ')
  const lines = places.filter(({directive}) => directive.name === 'set_real_ip_from')
  const first = new Map(lines.toReversed().map(place => [place.around.at(-1), place]))
  return [...first.values()].flatMap(({directive: {span}, around}): readonly Edit[] => {
    const listens = around.find(({name}) => name === 'server')?.block?.filter(({name}) => name === 'listen') ?? []
    if (listens.length > 0 && !listens.some(isAnnounced)) return []
    return [{span: {...span, end: span.start}, text: `${trust} `, why: BALANCER_WHY}]
  })
}

/** `$var` of `if ($var) { return 403; }`. */
function refusingVariable({name, args, block = []}: Directive): string | undefined {
  if (name !== 'if' || !block.some(line => line.name === 'return' && /^4\d\d$/.test(line.args[0]?.value ?? ''))) return undefined
  return args.map(({value}) => /^\(?(\$\w+)\)?$/.exec(value)?.[1]).find(variable => variable !== undefined)
}

/** The value of the networks of a `geo`, where they all have the same: 0 or nothing, which refuses nobody. */
function admitting(block: readonly Directive[]): string | undefined {
  const values = block.filter(({name}) => isNetwork(name)).map(({args}) => args[0]?.value ?? '')
  const [first] = values
  return first === '0' && values.every(value => value === first) ? first : undefined
}
