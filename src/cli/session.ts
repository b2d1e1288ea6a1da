import {EnvironmentError, EXIT} from '../errors.ts'

/** Thrown through everything that runs when a person, or the system, asks us to stop. */
export class Interruption extends Error {
  readonly exitCode: number = EXIT.interrupted
  constructor(signal: string) {
    super(`interrupted by ${signal}`)
    this.name = 'Interruption'
  }
}

/** Faster than anybody presses Ctrl-C again. */
const SAME_MS = 300

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

let listening = false
let current: Session | undefined

/**
 * From now on an interruption stops the running session; where none runs nothing was started, or all of it is gone, and the process
 * ends at once. One listener for good: a signal that arrives between two of them would be lost.
 */
export function listenForInterruptions(): void {
  if (listening) return
  listening = true
  for (const name of SIGNALS) process.on(name, () => (current ? current.interrupt(name) : process.exit(EXIT.interrupted)))
}

/** Aborts when the process is told to stop, or when `--timeout` has passed. Whoever runs something gets `signal`. */
export class Session implements Disposable {
  private readonly controller = new AbortController()
  private given = false
  private timer: NodeJS.Timeout | undefined
  private interruptedAt = -Infinity

  constructor() {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- one session at a time belongs to the process
    current = this
    listenForInterruptions()
  }

  get signal(): AbortSignal {
    this.given = true
    return this.controller.signal
  }

  /**
   * A person, or the system, asks us to stop. While nobody has the signal nothing was started, and parameters may be awaited from a
   * terminal: we end at once. So we do when asked twice: they do not want to wait for the cleaning up. One Ctrl-C may arrive as several
   * signals: npm and npx hand on what the terminal has sent to us already.
   */
  interrupt(name: NodeJS.Signals): void {
    if (performance.now() - this.interruptedAt < SAME_MS) return
    if (!this.given || this.controller.signal.aborted) process.exit(EXIT.interrupted)
    this.interruptedAt = performance.now()
    process.stderr.write(`\n${name}: stopping everything that was started\n`)
    this.controller.abort(new Interruption(name))
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
    if (current === this) current = undefined
  }
}
