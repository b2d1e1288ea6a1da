import {createHash} from 'node:crypto'
import {createServer} from 'node:net'

/**
 * Without a pattern, and different in each of the last three numbers: nginx `ip_hash` sums up the first three, HAProxy `balance source` takes
 * the remainder of the whole, and evenly spaced addresses all end at one node. `half` 0 is the lower half of the loopback network, 1 the upper.
 */
function candidate(number: number, half: 0 | 1): string {
  const [second = 0, third = 0, fourth = 0] = createHash('sha256').update(`address ${number}`).digest()
  return [127, half * 128 + 1 + (second % 120), ...[third, fourth].map(byte => 1 + (byte % 250))].join('.')
}

/**
 * Addresses of this machine from which users can connect to `url`, so that they do not all look alike to a proxy that tells them apart by
 * address. Empty where there is one address only: `url` is not on the loopback interface, or the system gives that interface a single
 * address (macOS). Another `after`, other addresses.
 */
export async function ownAddresses(url: URL, count: number, after = 0): Promise<readonly string[]> {
  if (!url.hostname.startsWith('127.')) return []
  const all = Array.from({length: count}, (_, number) => candidate(after + number, 0))
  const [first] = all
  return first !== undefined && (await isOurs(first)) ? all : []
}

/** An address of this machine that is none of those: where only these are let in, it is a stranger's. `undefined` where there is none. */
export async function strangersAddress(url: URL): Promise<string | undefined> {
  const address = candidate(0, 1)
  return url.hostname.startsWith('127.') && (await isOurs(address)) ? address : undefined
}

function isOurs(address: string): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(0, address, () => server.close(() => resolve(true)))
  })
}
