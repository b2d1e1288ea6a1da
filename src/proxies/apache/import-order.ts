/** One address of one `VirtualHost`, with what decides where it stood among the parameters. */
export interface Placed {
  /** Number of its `VirtualHost` among those of its kind. */
  host: number
  address: string
  port: number
  tls: boolean
  /** Only a listener whose certificate is not named has a note with its number. */
  noted: boolean
}

/** More tries than that are not made: what is left stands in the order of the file. */
const MOST_TRIES = 20_000

/**
 * Listeners in an order from which the same `Listen` lines, the same `VirtualHost` sections and the same notes are made: ports appear in the
 * order of `listens`, hosts in theirs. `notes` are the numbers of the encrypted listeners without a certificate.
 */
export function inOrder(all: readonly Placed[], listens: readonly {address: string; port: number}[], notes: ReadonlySet<number>): Placed[] {
  const hostsOf = (tls: boolean) => {
    const own = all.filter(one => one.tls === tls)
    const count = Math.max(-1, ...own.map(({host}) => host)) + 1
    return Array.from({length: count}, (_, host) => own.filter(one => one.host === host))
  }
  const ports = [...new Set(listens.map(({port}) => port))]
  const named = (port: number) =>
    listens.filter(one => one.port === port && one.address !== '*' && one.address !== '[::]').map(({address}) => address)
  const kinds = [hostsOf(false), hostsOf(true)] as const
  const plainCount = kinds[0].flat().length
  let tries = 0

  const mayStand = (one: Placed, before: readonly Placed[]) => {
    const seen = (port: number) => before.some(other => other.port === port)
    const next = ports.find(port => !seen(port))
    if (ports.includes(one.port) && !seen(one.port) && one.port !== next) return false
    const addresses = named(one.port)
    const heard = (address: string) => before.some(other => other.port === one.port && other.address === address)
    if (addresses.includes(one.address) && !heard(one.address) && addresses.find(address => !heard(address)) !== one.address) return false
    return !one.tls || notes.has(before.length - plainCount) === one.noted
  }

  const search = (before: readonly Placed[]): readonly Placed[] | undefined => {
    if (before.length === all.length) return before
    tries++
    if (tries > MOST_TRIES) return undefined
    const hosts = kinds[before.length < plainCount ? 0 : 1]
    const taken = hosts.map(own => own.filter(one => before.includes(one)).length)
    const opened = taken.findLastIndex(count => count > 0)
    for (let host = 0; host <= Math.min(opened + 1, hosts.length - 1); host++) {
      const one = hosts[host]?.[taken[host] ?? 0]
      if (!one || !mayStand(one, before)) continue
      const found = search([...before, one])
      if (found) return found
    }
    return undefined
  }

  return [...(search([]) ?? all)]
}
