import type {ForeignParameters} from './schema.ts'

/**
 * The cookie that GMS sets itself where a proxy goes by it, and the route that ends the cookie of each node: in the order of `addresses`
 * (`host:port`, as a configuration writes them), else of the parameters. Undefined where affinity is not left to GMS.
 */
export function sessionCookieOf(
  {affinity, upstream}: Pick<ForeignParameters, 'affinity' | 'upstream'>,
  addresses?: readonly string[],
): {name: string; routes: readonly (string | undefined)[]} | undefined {
  if (affinity.mode !== 'application-cookie') return undefined
  const nodes = upstream?.nodes ?? []
  const routes = new Map(nodes.map(({host, port, route}) => [`${host}:${port}`, route]))
  return {
    name: affinity.cookie,
    routes: addresses?.map((address, index) => routes.get(address) ?? nodes[index]?.route) ?? nodes.map(({route}) => route),
  }
}
