import type {SandboxPlan} from './proxy.ts'

export const CLIENTS_WHY = 'the users of the sandbox are let in as well'

/**
 * Networks that the users of a sandbox come from: the lower half of the loopback network, so that its upper half stays one of strangers; for a
 * container the gateway of its network, which stands for all of them.
 */
export function clientNetworks({runtime}: Pick<SandboxPlan, 'runtime'>): readonly string[] {
  return runtime === 'docker' ? ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] : ['127.0.0.0/9']
}

/** True for what all three dialects take for a network: an address with or without a prefix. */
export function isNetwork(text: string): boolean {
  return /^(?:\d{1,3}(?:\.\d{1,3}){1,3}\.?|[0-9a-f]{0,4}(?::[0-9a-f.]{0,15}){2,8})(?:\/\d{1,3}(?:\.\d{1,3}){0,3})?$/i.test(text)
}
