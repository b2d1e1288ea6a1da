import type {SandboxPlan} from './proxy.ts'

/** Private networks (RFC 1918): one of them is that of a container. */
const GATEWAYS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']

export const CLIENTS_WHY = 'the users of the sandbox are let in as well'

/**
 * Networks that the users of a sandbox come from: the lower half of the loopback network, so that its upper half stays one of strangers; for a
 * container the gateway of its network, which stands for all of them.
 */
export function clientNetworks({runtime, balancer}: Pick<SandboxPlan, 'runtime' | 'balancer'>): readonly string[] {
  const loopback = '127.0.0.0/9'
  if (runtime === 'binary') return [loopback]
  // Those whom a PROXY protocol header names are known by their own address in a container too.
  return balancer === undefined ? GATEWAYS : [...GATEWAYS, loopback]
}

/** Address of the load balancer of the sandbox: one that no user has, so that a proxy that takes it for the client is seen doing so. */
export const BALANCER_ADDRESS = '127.127.0.1'

export const BALANCER_WHY = 'the load balancer of the sandbox, which sends the PROXY protocol header, is trusted as well'

/** Networks that the load balancer of the sandbox comes from, as the proxy sees it; none where no listener expects a PROXY protocol header. */
export function balancerNetworks({runtime, balancer}: Pick<SandboxPlan, 'runtime' | 'balancer'>): readonly string[] {
  if (balancer === undefined) return []
  return runtime === 'docker' ? GATEWAYS : [balancer]
}

/** True for what all three dialects take for a network: an address with or without a prefix. */
export function isNetwork(text: string): boolean {
  return /^(?:\d{1,3}(?:\.\d{1,3}){1,3}\.?|[0-9a-f]{0,4}(?::[0-9a-f.]{0,15}){2,8})(?:\/\d{1,3}(?:\.\d{1,3}){0,3})?$/i.test(text)
}
