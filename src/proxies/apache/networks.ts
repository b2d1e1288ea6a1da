import {isIPv4} from 'node:net'

/** `10.0.0.0/8`, `10.0.0.0/255.0.0.0` → its bits, most significant first, and how many of them count. */
function bitsOf(network: string): {family: 4 | 6; bits: string; prefix: number} {
  const [address = '', prefixText] = network.split('/')
  const bits = isIPv4(address) ? ipv4Bits(address) : ipv6Bits(address)
  const prefix =
    prefixText === undefined ? bits.length : isIPv4(prefixText) ? ipv4Bits(prefixText).replaceAll('0', '').length : Number(prefixText)
  return {family: isIPv4(address) ? 4 : 6, bits, prefix}
}

function ipv4Bits(address: string): string {
  return address
    .split('.')
    .map(part => Number(part).toString(2).padStart(8, '0'))
    .join('')
}

function ipv6Bits(address: string): string {
  // the URL parser knows every spelling, an IPv4 tail too
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string) => text.split(':').filter(group => group !== '')
  const front = groups(head)
  const back = groups(tail ?? '')
  const all = tail === undefined ? front : [...front, ...Array.from({length: 8 - front.length - back.length}, () => '0'), ...back]
  return all.map(group => Number.parseInt(group, 16).toString(2).padStart(16, '0')).join('')
}

function written(family: 4 | 6, bits: string): string {
  const size = family === 4 ? 32 : 128
  const whole = bits.padEnd(size, '0')
  const parts = whole.match(family === 4 ? /.{8}/g : /.{16}/g) ?? []
  const address =
    family === 4
      ? parts.map(part => Number.parseInt(part, 2)).join('.')
      : parts.map(part => Number.parseInt(part, 2).toString(16)).join(':')
  return `${address}/${bits.length}`
}

/** Networks that hold every address but those of `networks`; none for a family of which all are taken. */
export function complement(networks: readonly string[]): readonly string[] {
  const all = networks.map(bitsOf)
  const found: string[] = []
  const visit = (family: 4 | 6, path: string, inside: readonly string[]): void => {
    if (inside.some(prefix => prefix.length <= path.length)) return
    if (inside.length > 0) {
      for (const bit of ['0', '1'])
        visit(
          family,
          path + bit,
          inside.filter(prefix => prefix.startsWith(path + bit)),
        )
    } else if (path !== '') found.push(written(family, path))
    // httpd reads no network of prefix 0
    else found.push(written(family, '0'), written(family, '1'))
  }
  for (const family of [4, 6] as const)
    visit(
      family,
      '',
      all.filter(own => own.family === family).map(({bits, prefix}) => bits.slice(0, prefix)),
    )
  return found
}

/** Networks that hold every address of `network` but those of `others`. */
export function without(network: string, others: readonly string[]): readonly string[] {
  return complement([...complement([network]), ...others])
}

/** An address or a network as httpd compares it: bits below the prefix are zero, else it refuses or never matches. */
export function normalNetwork(network: string): string {
  const {family, bits, prefix} = bitsOf(network)
  const text = written(family, bits.slice(0, prefix))
  return prefix === bits.length ? text.replace(/\/\d+$/, '') : text
}
