import type {LimitFunction} from 'p-limit'
import {Ledger} from '../client/ledger.ts'
import type {Target} from '../flows/flow.ts'
import {farewell} from '../flows/farewell.ts'
import type {Logger} from '../log.ts'
import type {Access} from './gms.ts'

/** Checks that drive a GMS at the same time when others work with it: each has a chat or two. */
export const GENTLE = 4

/** For each request of a farewell, ms. */
const FAREWELL_MS = 3000

interface MannersOptions {
  access: Access
  /** The nodes of a real GMS; behind a proxy that already runs, that proxy. */
  at: readonly Target[]
  signal: AbortSignal
  logger: Logger
}

/**
 * How a run behaves towards a GMS that is not its own: runs `act` when it is its turn, and closes what it left open, whatever came of it
 * (an interruption and a time-out too), before the next one.
 */
export type Turn = <T>(limit: LimitFunction, act: (ledger: Ledger) => Promise<T>) => Promise<T>

/** Few at a time, and nothing left behind. */
export function goodManners({access, at, signal, logger}: MannersOptions): Turn {
  return (limit, act) =>
    limit(async () => {
      // Interrupted while it waited for its turn.
      signal.throwIfAborted()
      const ledger = new Ledger()
      try {
        return await act(ledger)
      } finally {
        const {chats, left} = await farewell(ledger, {
          at,
          ...(access.auth ? {auth: access.auth} : {}),
          deadlineMs: FAREWELL_MS,
        })
        if (chats > 0) logger.debug(`closed ${chats === 1 ? 'a chat' : `${chats} chats`} that had been left open`)
        if (left > 0)
          logger.warn(`${left === 1 ? 'a chat' : `${left} chats`} could not be closed: GMS ends them when its own idle time is over`)
      }
    })
}

/** The same place for users whose chats somebody closes. */
export function withLedger<P extends object>(place: P, ledger: Ledger | undefined): P & {ledger?: Ledger} {
  return ledger ? {...place, ledger} : place
}
