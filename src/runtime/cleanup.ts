import process from 'node:process'

/** What must happen before this process is gone, newest first. Synchronous: the loop no longer turns when `exit` is emitted. */
const pending = new Set<() => void>()

function runPending(): void {
  for (const action of [...pending].reverse()) {
    try {
      action()
    } catch {
      // The others still have to run, and nobody is left to tell.
    }
  }
  pending.clear()
}

/**
 * Runs `action` when the process exits before the returned function was called: a bug, `process.exit` or an interruption must not
 * leave proxies or folders behind. `SIGKILL` and unhandled signals emit no `exit`; the next run reaps what those leave.
 */
export function onExit(action: () => void): () => void {
  if (pending.size === 0) process.once('exit', runPending)
  pending.add(action)
  return () => {
    pending.delete(action)
    if (pending.size === 0) process.off('exit', runPending)
  }
}

/** Node 20 has no `AsyncDisposableStack`: this is the part of it that is needed here. */
export class Cleanup implements AsyncDisposable {
  readonly #steps: (() => Promise<void> | void)[] = []

  defer(step: () => Promise<void> | void): void {
    this.#steps.push(step)
  }

  /** Runs every step, newest first, also after one failed. @throws the first failure. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
