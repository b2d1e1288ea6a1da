/** Exit codes of every verb (CLI contract, section 3). */
export const EXIT = {ok: 0, findings: 1, usage: 2, environment: 3, bug: 70, interrupted: 130} as const

interface Advice {
  /** What to do next, one imperative sentence each. */
  suggestions?: readonly string[]
  cause?: unknown
}

/** Flags, parameters or files are wrong: nothing was run. Exit code 2. */
export class UsageError extends Error {
  readonly exitCode: number = EXIT.usage
  readonly suggestions: readonly string[]
  constructor(message: string, {suggestions = [], cause}: Advice = {}) {
    super(message, {cause})
    this.name = 'UsageError'
    this.suggestions = suggestions
  }
}

/** This machine cannot do what was asked (no binary, no Docker, port taken, time out of ours). Exit code 3. */
export class EnvironmentError extends Error {
  readonly exitCode: number = EXIT.environment
  readonly suggestions: readonly string[]
  constructor(message: string, {suggestions = [], cause}: Advice = {}) {
    super(message, {cause})
    this.name = 'EnvironmentError'
    this.suggestions = suggestions
  }
}
