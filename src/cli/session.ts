import {EnvironmentError, EXIT} from '../errors.ts'

/** Thrown through everything that runs when a person, or the system, asks us to stop. */
export class Interruption extends Error {
  readonly exitCode: number = EXIT.interrupted
  constructor(signal: string) {
    super(`interrupted by ${signal}`)
    this.name = 'Interruption'
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Aborts when the process is told to stop, or when `--timeout` has passed. Whoever runs something gets `signal`. */
export class Session implements Disposable {
  readonly signal: AbortSignal
  private readonly controller = new AbortController()
  private timer: NodeJS.Timeout | undefined
  private readonly onSignal = (name: NodeJS.Signals) => {
    // Asked twice: a person does not want to wait for the cleaning up.
    if (this.controller.signal.aborted) process.exit(EXIT.interrupted)
    process.stderr.write(`\n${name}: stopping everything that was started\n`)
    this.controller.abort(new Interruption(name))
  }

  constructor() {
    this.signal = this.controller.signal
    for (const name of SIGNALS) process.on(name, this.onSignal)
  }

  /** Bounds the whole run. `text` is the duration as it was written. */
  limit(ms: number, text: string): void {
    this.timer = setTimeout(() => {
      this.controller.abort(
        new EnvironmentError(`not finished within --timeout ${text}: everything was stopped`, {
          suggestions: ['give it more time with --timeout', 'run fewer checks with --only'],
        }),
      )
    }, ms)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
    for (const name of SIGNALS) process.off(name, this.onSignal)
  }
}
