import type {Greeting} from '../client/tls-greeting.ts'
import {greet} from '../client/tls-greeting.ts'
import type {Flow, Transcript} from './flow.ts'
import {play} from './script.ts'

export interface TlsHandshakeResult extends Transcript {
  greeting?: Greeting
}

/** The beginning of TLS, and nothing in it. */
export const tlsHandshake: Flow<Record<string, never>, TlsHandshakeResult> = {
  id: 'tls-handshake',
  title: 'A TLS handshake',
  run: (target, _input, context) => {
    const result: Omit<TlsHandshakeResult, keyof Transcript> = {}
    return play('tls-handshake', target, context, result, async cast => {
      const name = target.serverName ?? target.url.hostname
      const exchange = cast.journal.open({transport: 'http', what: `TLS handshake for ${name}`})
      const {greeting, socket} = await greet(target, {deadlineMs: cast.budgets.answer, signal: cast.signal})
      socket.destroy()
      result.greeting = greeting
      const {version, cipher, names, distrust, otherName, failure} = greeting
      const facts = [version, cipher, names && `certificate for ${names}`, distrust, otherName].filter(fact => fact !== undefined)
      cast.journal.close(exchange, failure?.reason ?? facts.join(', '))
      if (failure) cast.stop('TLS handshake', failure)
    })
  },
}
