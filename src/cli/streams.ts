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
