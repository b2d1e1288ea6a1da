import type {Parameters} from './schema.ts'

/** Parameters that parse and are described, but that no template renders yet: using one is an error, never silence. */
const NOT_YET: readonly {path: string; used(parameters: Parameters): boolean}[] = [
  {path: 'tls', used: p => p.tls !== undefined},
  {path: 'listener', used: p => p.listener.length > 1},
  {path: 'upstream.resolvers', used: p => (p.upstream.resolvers?.length ?? 0) > 0},
  {path: 'affinity.mode', used: p => p.affinity.mode === 'application-cookie' || p.affinity.mode === 'source-address'},
  {path: 'health.mode', used: p => p.health.mode === 'http'},
  {path: 'health.path', used: p => p.health.path !== undefined},
  {path: 'health.expect', used: p => p.health.expect !== undefined},
  {path: 'forwarding.trustedProxies', used: p => p.forwarding.trustedProxies.length > 0},
  {path: 'access.allow', used: p => p.access.allow.length > 0},
  {path: 'access.origins', used: p => p.access.origins.length > 0},
  {path: 'logging.format', used: p => p.logging.format !== 'text'},
]

/** What of `parameters` this version of the tool cannot render, for any proxy. */
export function notYetRendered(parameters: Parameters): readonly {path: string; because: string}[] {
  return NOT_YET.filter(({used}) => used(parameters)).map(({path}) => ({
    path,
    because: 'this version of gms-proxy reads it but does not render it yet',
  }))
}
