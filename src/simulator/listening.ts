import type {Server} from 'node:http'
import {setTimeout} from 'node:timers/promises'
import {EnvironmentError} from '../errors.ts'

/** Pending connections; a load of thousands of chats arrives at once. The kernel may cap it (net.core.somaxconn). */
const BACKLOG = 2048
/** A port that was ours may be lent to somebody's outgoing connection while the node is down: it comes back this soon or not at all. */
const RELISTEN = {tries: 20, everyMs: 100} as const

interface Address {
  /** Of the node, for the message. */
  name: string
  host: string
  port: number
  /** The node has listened there before. */
  again: boolean
}

/** @throws EnvironmentError when the port is taken or the address is not this machine's. */
export async function listen(server: Server, {name, host, port, again}: Address): Promise<void> {
  for (let tries = again ? RELISTEN.tries : 1; ; tries -= 1) {
    const error = await tryToListen(server, host, port)
    if (!error) return
    if (error.code === 'EADDRINUSE' && tries > 1) {
      await setTimeout(RELISTEN.everyMs)
      continue
    }
    const {what, advice} = whyNotListening(error, host, port)
    throw new EnvironmentError(`GMS simulator ${name}: ${what}`, {suggestions: [advice], cause: error})
  }
}

function tryToListen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise(resolve => {
    const settle = (error?: NodeJS.ErrnoException): void => {
      server.off('error', settle).off('listening', settle)
      resolve(error)
    }
    server.once('error', settle).once('listening', settle)
    server.listen({host, port, backlog: BACKLOG})
  })
}

function whyNotListening({code, message}: NodeJS.ErrnoException, host: string, port: number): {what: string; advice: string} {
  const address = port === 0 ? host : `${host}:${port}`
  if (code === 'EADDRINUSE')
    return {what: `port ${port} on ${host} is taken`, advice: `Stop what listens on port ${port}, or choose another port.`}
  if (code === 'EMFILE' || code === 'ENFILE')
    return {what: `cannot listen on ${address}: no more files may be open`, advice: 'Raise the limit: ulimit -n 4096'}
  return {what: `cannot listen on ${address} (${code ?? message})`, advice: 'Choose an address of this machine and a port above 1023.'}
}
