import {isIPv4} from 'node:net'

/**
 * Networks as nginx wants them: no bits behind the prefix (it warns: "low address bits are meaningless"), none twice ("duplicate network").
 * `10.1.2.3/8` → `10.0.0.0/8`; an address stays an address.
 */
export function networksOf(networks: readonly string[]): readonly string[] {
  return [...new Set(networks.map(canonical))]
}

function canonical(network: string): string {
  const [address = '', prefixText] = network.split('/')
  const size = isIPv4(address) ? 32 : 128
  const prefix = prefixText === undefined ? size : Number(prefixText)
  const bits = BigInt(size - prefix)
  const value = ((isIPv4(address) ? numberOfIPv4(address) : numberOfIPv6(address)) >> bits) << bits
  const text = size === 32 ? textOfIPv4(value) : textOfIPv6(value)
  return prefix === size ? text : `${text}/${prefix}`
}

function numberOfIPv4(address: string): bigint {
  return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
}

function textOfIPv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map(shift => String((value >> shift) & 255n)).join('.')
}

function numberOfIPv6(address: string): bigint {
  const [, head = address, quad] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? []
  const tail = quad === undefined ? '' : `${(numberOfIPv4(quad) >> 16n).toString(16)}:${(numberOfIPv4(quad) & 65_535n).toString(16)}`
  const [left = '', right] = `${head}${tail}`.split('::')
  const groups = (text: string) => text.split(':').filter(group => group !== '')
  const [before, after] = [groups(left), groups(right ?? '')]
  const zeros = Array.from({length: 8 - before.length - after.length}, () => '0')
  return [...before, ...(right === undefined ? [] : zeros), ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
}

/** RFC 5952 without its shortening: eight groups, the longest run of zeros at the end as `::`. */
function textOfIPv6(value: bigint): string {
  const groups = Array.from({length: 8}, (_, index) => ((value >> BigInt(112 - index * 16)) & 65_535n).toString(16)).join(':')
  return groups.replace(/(?::0){2,}$/, '::').replace(/^0::$/, '::')
}
