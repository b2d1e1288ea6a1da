import {closeSync} from 'node:fs'
import {isatty} from 'node:tty'
import {EnvironmentError} from '../errors.ts'

/** What to do about a stream that does not take more. */
export const ROOM = 'free some space, or send the output elsewhere'

/** Writes all of `text`; resolves when the system has taken it. A reader that has gone away (`| head`) is not an error. */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, error => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE')
        reject(new EnvironmentError(`not everything could be written: ${error.message}`, {suggestions: [ROOM], cause: error}))
      else resolve()
    })
  })
}

const failures = new WeakMap<NodeJS.WriteStream, Error>()

/** Without a listener, a closed pipe or a full disk would end the process with a stack trace. `unwritten` tells it afterwards. */
export function quietWhenClosed(...streams: readonly NodeJS.WriteStream[]): void {
  for (const stream of streams)
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') failures.set(stream, error)
    })
}

/** Why what was written did not arrive; a reader that went away is no reason. The standard streams forget it themselves. */
export function unwritten(stream: NodeJS.WriteStream): Error | undefined {
  return failures.get(stream)
}

/** Resolves when everything that was written before has left. */
export async function flush(...streams: readonly NodeJS.WriteStream[]): Promise<void> {
  await Promise.all(streams.filter(stream => stream.writable).map(stream => write(stream, '')))
}

let terminals: readonly number[] = []

/**
 * From now on, a terminal that goes away costs the process nothing but the terminal: at its end Node gives back what it changed there, and
 * where nobody takes it back it ends by SIGABRT instead of with its exit code (Node 20, `ResetStdio`). A closed descriptor is left alone.
 */
export function surviveLostTerminal(): void {
  terminals = [0, 1, 2].filter(isatty)
  process.on('exit', () => {
    for (const terminal of lostTerminals()) closeSync(terminal)
  })
}

/** True of what is thrown when a person is no longer there: the terminal was closed, or the connection to it. */
export function isLostTerminal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EIO' && lostTerminals().length > 0
}

function lostTerminals(): readonly number[] {
  return terminals.filter(terminal => !isatty(terminal))
}
