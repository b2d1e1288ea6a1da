import {createServer} from 'node:net'
import {HOST_ALIAS} from './docker-host.ts'
import {docker} from './docker-engine.ts'
import type {Runtime} from './runtime.ts'

/**
 * Where GMS has to listen, and by which address the proxy reaches it. For a container that is the bridge's address on this machine,
 * never all addresses; where the bridge belongs to a virtual machine (Docker Desktop), loopback and the engine's name for this host.
 */
export async function upstreamAddress(runtime: Runtime, signal?: AbortSignal): Promise<{listen: string; reach: string}> {
  if (runtime.kind === 'binary') return {listen: '127.0.0.1', reach: '127.0.0.1'}
  const gateway = await bridgeGateway(signal)
  return gateway !== undefined && (await isOurs(gateway)) ? {listen: gateway, reach: gateway} : {listen: '127.0.0.1', reach: HOST_ALIAS}
}

/** Engines do not always fill in the gateway (Docker 20.10 before its first restart): then it is the first address of the subnet. */
async function bridgeGateway(signal: AbortSignal | undefined): Promise<string | undefined> {
  const {ok, stdout} = await docker(
    ['network', 'inspect', 'bridge', '--format', '{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{"\\n"}}{{end}}'],
    {signal},
  )
  if (!ok) return undefined
  const [subnet = '', gateway = ''] =
    stdout
      .split('\n')
      .find(line => /^\d+\./.test(line))
      ?.split(' ') ?? []
  if (/^\d+(\.\d+){3}$/.test(gateway)) return gateway
  const network = /^(\d+\.\d+\.\d+)\.0\//.exec(subnet)?.[1]
  return network === undefined ? undefined : `${network}.1`
}

/** Asked by listening on it: lists of interfaces leave out a bridge that has no container yet. */
function isOurs(address: string): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(0, address, () => server.close(() => resolve(true)))
  })
}
