import type {Logger} from '../log.ts'

/** What a client did that GMS takes, but that another GMS may not: worth a second look. */
export interface ClientWarning {
  /** ms since the epoch */
  readonly at: number
  readonly node: string
  readonly what: string
}

/** So many are kept: a simulator may run for weeks. */
const KEPT = 1000

/** Warnings about clients: to the log, and kept for whoever asks. */
export class Warnings {
  readonly #logger: Logger
  readonly #list: ClientWarning[] = []

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get list(): readonly ClientWarning[] {
    return this.#list
  }

  add(node: string, what: string): void {
    this.#list.push({at: Date.now(), node, what})
    if (this.#list.length > KEPT) this.#list.shift()
    this.#logger.warn(`${node}: ${what}`)
  }
}
