import {readFile} from 'node:fs/promises'
import {isIP} from 'node:net'
import {UsageError} from '../errors.ts'
import type {TlsIdentity} from '../simulator/gms-node.ts'

/** A throw-away certificate is valid this long, days: no longer than somebody works on a client. */
const DAYS = 30

/**
 * The key and certificate of files, or throw-away ones when TLS is asked for without.
 * @throws UsageError when a file cannot be read or one of the two is missing.
 */
export async function tlsIdentity(flags: {
  tls: boolean
  certificate?: string | undefined
  key?: string | undefined
  host: string
}): Promise<(TlsIdentity & {throwAway: boolean}) | undefined> {
  const {certificate, key} = flags
  if ((certificate === undefined) !== (key === undefined))
    throw new UsageError('--certificate and --key go together', {suggestions: ['Name both, or --tls alone for throw-away ones.']})
  if (certificate !== undefined && key !== undefined)
    return {cert: await read('--certificate', certificate), key: await read('--key', key), throwAway: false}
  return flags.tls ? {...(await makeIdentity(flags.host)), throwAway: true} : undefined
}

async function read(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new UsageError(`${flag} ${path} cannot be read (${code})`, {cause: error})
  }
}

async function makeIdentity(host: string): Promise<TlsIdentity> {
  const {generate} = await import('selfsigned')
  const names = [...new Set(['localhost', '127.0.0.1', '::1', host])].filter(name => name !== '0.0.0.0' && name !== '::')
  const made = await generate([{name: 'commonName', value: 'GMS simulator, throw-away'}], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + DAYS * 86_400_000),
    extensions: [
      {name: 'basicConstraints', cA: true, critical: true},
      {name: 'subjectAltName', altNames: names.map(name => (isIP(name) ? {type: 7 as const, ip: name} : {type: 2 as const, value: name}))},
    ],
  })
  return {cert: made.cert, key: made.private}
}
