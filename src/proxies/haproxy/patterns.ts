/** A regular expression of PCRE as one of JavaScript; `undefined` when it says something that JavaScript cannot. */
export function regex(pattern: string, ignoreCase: boolean): RegExp | undefined {
  const [inline = ''] = /^\(\?[imsx]+\)/.exec(pattern) ?? []
  if (/[xs]/.test(inline) || /\[\[:|\(\?[>|#P]|\\[AZzQEK]|[*+?}]\+/.test(pattern)) return undefined
  try {
    return new RegExp(pattern.slice(inline.length), ignoreCase || inline.includes('i') ? 'i' : '')
  } catch {
    return undefined
  }
}

/** True when the address lies in `network` (`10.0.0.0/8`, `::1`); `undefined` when that cannot be told. */
export function isInNetwork(address: string, network: string): boolean | undefined {
  const [base = '', length] = network.split('/')
  const ours = numeric(address)
  if (base.includes(':')) return address.includes(':') ? (base === address ? true : undefined) : length === '0'
  const theirs = numeric(base)
  if (ours === undefined) return address.includes(':') ? false : undefined
  if (theirs === undefined) return undefined
  const bits = maskLength(length)
  if (bits === undefined) return undefined
  return bits === 0 || Math.floor(ours / 2 ** (32 - bits)) === Math.floor(theirs / 2 ** (32 - bits))
}

/** `8`, or `255.0.0.0` written out. */
function maskLength(text: string | undefined): number | undefined {
  if (text === undefined) return 32
  if (/^\d+$/.test(text)) return Number(text) <= 32 ? Number(text) : undefined
  const mask = numeric(text)
  return mask === undefined ? undefined : mask.toString(2).replace(/0+$/, '').length
}

function numeric(address: string): number | undefined {
  const parts = address.split('.').map(Number)
  if (!/^\d+(?:\.\d+){0,3}$/.test(address) || parts.some(part => part > 255)) return undefined
  return [0, 1, 2, 3].reduce((sum, i) => sum * 256 + (parts[i] ?? 0), 0)
}
