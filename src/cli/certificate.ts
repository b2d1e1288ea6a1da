import {readFile} from 'node:fs/promises'
import {UsageError} from '../errors.ts'
import {selfSigned} from '../runtime/certificates.ts'
import type {TlsIdentity} from '../simulator/gms-node.ts'

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
  const {certificate, key} = await selfSigned('GMS simulator, throw-away', ['localhost', '127.0.0.1', '::1', host])
  return {cert: certificate, key}
}
