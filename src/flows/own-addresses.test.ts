import {expect, test} from 'vitest'
import {ownAddresses} from './own-addresses.ts'

const numbersOf = (address: string) => address.split('.').map(Number)
/** ngx_http_upstream_ip_hash_module.c, servers of the same weight. */
const ipHash = (address: string) =>
  numbersOf(address)
    .slice(0, 3)
    .reduce((hash, number) => (hash * 113 + number) % 6271, 89)
/** HAProxy backend.c, get_server_sh with `hash-type map-based`. */
const balanceSource = (address: string) => numbersOf(address).reduce((sum, number) => sum * 256 + number, 0)

test.each([
  ['ip_hash of nginx', ipHash],
  ['balance source of HAProxy', balanceSource],
])('browsers from these addresses are spread over all nodes by %s', async (_, hash) => {
  const addresses = await ownAddresses(new URL('http://127.0.0.1:8080'), 128)
  // macOS gives its loopback interface one address.
  expect([0, 128]).toContain(new Set(addresses).size)
  for (const nodes of addresses.length === 0 ? [] : [2, 3, 5])
    expect([...new Set(addresses.slice(0, 16).map(address => hash(address) % nodes))], `${nodes} nodes`).toHaveLength(nodes)
})

test('no addresses are offered for a proxy that is elsewhere', async () => {
  expect(await ownAddresses(new URL('http://192.0.2.1'), 4)).toEqual([])
  expect(await ownAddresses(new URL('http://[::1]:80'), 4)).toEqual([])
})
