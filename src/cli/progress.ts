import type {Outcome} from '../model/report.ts'
import type {Progress} from '../verify/progress.ts'

/** Shows what a run is doing while it runs: a live block on a terminal, sparse lines anywhere else. */
export interface ProgressView extends Disposable {
  on(progress: Progress): void
  /** A line for a person, above whatever is being redrawn. */
  note(line: string): void
}

interface Running {
  name: string
  about: string
  total: number
  done: Outcome[]
  waiting: Map<string, {since: number; longestWaitMs: number}>
  finished: boolean
}

/** Redraws a second, where there is a terminal. */
const FRAMES_MS = 200
/** Where there is none, a sign of life this often. */
const HEARTBEAT_MS = 15_000
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** For `--quiet`. */
export const noProgress: ProgressView = {
  on() {},
  note: line => void process.stderr.write(`${line}\n`),
  [Symbol.dispose]() {},
}

/** The view that suits the stream. */
export function showProgress(stream: NodeJS.WriteStream): ProgressView {
  return stream.isTTY && process.env['TERM'] !== 'dumb' && process.env['CI'] === undefined ? new LiveBlock(stream) : new Lines(stream)
}

/** What both views know. */
abstract class View implements ProgressView {
  protected readonly subjects = new Map<string, Running>()
  protected readonly stream: NodeJS.WriteStream

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream
  }

  on(progress: Progress): void {
    if (progress.event === 'subject-started') {
      const {subject: name, checks, runtime} = progress
      this.subjects.set(name, {
        name,
        about: runtime === undefined ? '' : ` ${runtime.version} (${runtime.kind})`,
        total: checks.length,
        done: [],
        waiting: new Map(),
        finished: false,
      })
    }
    const name = progress.subject
    const running = this.subjects.get(name)
    if (!running) return
    if (progress.event === 'check-started') running.waiting.set(progress.id, {since: Date.now(), longestWaitMs: progress.longestWaitMs})
    if (progress.event === 'check-finished') {
      running.waiting.delete(progress.outcome.id)
      running.done.push(progress.outcome)
    }
    if (progress.event === 'subject-finished') running.finished = true
    this.changed(progress, running)
  }

  note(line: string): void {
    this.stream.write(`${line}\n`)
  }

  protected abstract changed(progress: Progress, running: Running): void
  abstract [Symbol.dispose](): void
}

/** `polling-hold-survives 12/30 s`: the longest waits first, because they decide when the run ends. */
function waitingFor({waiting}: Running, most: number): string {
  const now = Date.now()
  const sorted = [...waiting].sort(([, a], [, b]) => b.since + b.longestWaitMs - (a.since + a.longestWaitMs))
  const shown = sorted.slice(0, most).map(([id, {since, longestWaitMs}]) => {
    const seconds = Math.floor((now - since) / 1000)
    if (longestWaitMs > 0) return `${id} ${seconds}/${Math.ceil(longestWaitMs / 1000)} s`
    return seconds > 0 ? `${id} ${seconds} s` : id
  })
  return shown.join(', ') + (sorted.length > most ? `, ${sorted.length - most} more` : '')
}

class Lines extends View {
  private readonly timer: NodeJS.Timeout

  constructor(stream: NodeJS.WriteStream) {
    super(stream)
    this.timer = setInterval(() => this.heartbeat(), HEARTBEAT_MS).unref()
  }

  protected changed(progress: Progress, running: Running): void {
    if (progress.event === 'subject-started')
      this.note(`${running.name}${running.about}: ${running.total} ${running.total === 1 ? 'check' : 'checks'}`)
    if (progress.event === 'check-finished' && (progress.outcome.status === 'failed' || progress.outcome.status === 'errored'))
      this.note(`${running.name}: ${progress.outcome.id} ${progress.outcome.status}`)
    if (progress.event === 'subject-finished') this.note(`${running.name}: ${progress.report.verdict}`)
  }

  private heartbeat(): void {
    for (const running of this.subjects.values())
      if (!running.finished)
        this.note(
          `${running.name}: ${running.done.length}/${running.total}${running.waiting.size === 0 ? '' : `, waiting for ${waitingFor(running, 3)}`}`,
        )
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }
}

class LiveBlock extends View {
  private readonly timer: NodeJS.Timeout
  private frame = 0
  private drawn = 0
  private readonly showCursor = () => void this.stream.write('\u001b[?25h')

  constructor(stream: NodeJS.WriteStream) {
    super(stream)
    this.timer = setInterval(() => this.draw(), FRAMES_MS).unref()
    stream.write('\u001b[?25l')
    // An interruption of an interruption ends us without disposing of anything: the terminal must not stay without a cursor.
    process.once('exit', this.showCursor)
  }

  protected changed(): void {
    if (this.drawn === 0) this.draw()
  }

  private draw(): void {
    const columns = Math.max(40, this.stream.columns || 80)
    const spinner = SPINNER[this.frame++ % SPINNER.length] ?? ''
    const lines = [...this.subjects.values()].map(running => {
      const failed = running.done.filter(({status}) => status === 'failed' || status === 'errored').length
      const mark = running.finished ? (failed > 0 ? '✖' : '✔') : spinner
      const bad = failed > 0 ? ` ✖ ${failed}` : ''
      return [...`${mark} ${running.name}${running.about} ${running.done.length}/${running.total}${bad}  ${waitingFor(running, 3)}`]
        .slice(0, columns - 1)
        .join('')
    })
    this.stream.write(this.erasure() + lines.map(line => `${line}\n`).join(''))
    this.drawn = lines.length
  }

  override note(line: string): void {
    this.stream.write(`${this.erasure()}${line}\n`)
    this.drawn = 0
    this.draw()
  }

  /** Back to the first line of the block, everything below it gone. */
  private erasure(): string {
    return this.drawn === 0 ? '' : `\u001b[${this.drawn}A\r\u001b[J`
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
    process.off('exit', this.showCursor)
    this.stream.write(this.erasure())
    this.showCursor()
    this.drawn = 0
  }
}
