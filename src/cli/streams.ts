/** Writes all of `text`; resolves when the system has taken it. A reader that has gone away (`| head`) is not an error. */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, error => {
      if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error)
      else resolve()
    })
  })
}

/** Without a listener, a closed pipe would end the process with a stack trace. */
export function quietWhenClosed(...streams: readonly NodeJS.WriteStream[]): void {
  for (const stream of streams)
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
}

/** Resolves when everything that was written before has left. */
export async function flush(...streams: readonly NodeJS.WriteStream[]): Promise<void> {
  await Promise.all(streams.filter(stream => stream.writable).map(stream => write(stream, '')))
}
