/**
 * Says of sessions that were all on one node that they were, and nothing else: a proxy that goes by address, or that keeps the other nodes in
 * reserve, shows what it does with one node only when all users come from one address (Docker hides that they do not).
 */
export function onOneNode(homes: readonly (string | undefined)[]): string {
  const [home, ...others] = new Set(homes)
  return home === undefined || others.length > 0 ? '' : `, all on ${home}: other nodes were not seen`
}
