import {createServer} from 'node:net'

/** Far enough apart for a proxy that looks at the first three numbers of an address only (nginx `ip_hash`). */
function candidate(number: number): string {
  return `127.${1 + (number % 250)}.${1 + ((number * 7) % 250)}.1`
}

/**
 * Addresses of this machine from which users can connect to `url`, so that they do not all look alike to a proxy that tells them apart by
 * address. Empty where there is one address only: `url` is not on the loopback interface, or the system gives that interface a single
 * address (macOS).
 */
export async function ownAddresses(url: URL, count: number): Promise<readonly string[]> {
  if (!url.hostname.startsWith('127.')) return []
  const all = Array.from({length: count}, (_, number) => candidate(number))
  const [first] = all
  return first !== undefined && (await isOurs(first)) ? all : []
}

function isOurs(address: string): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(0, address, () => server.close(() => resolve(true)))
  })
}
