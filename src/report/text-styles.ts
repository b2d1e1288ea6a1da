import {Ansis} from 'ansis'
import type {Severity} from '../model/catalogue.ts'
import type {Status, Verdict} from '../model/report.ts'

/** Colours and marks of the text report. */
export interface Styles {
  bold(text: string): string
  dim(text: string): string
  green(text: string): string
  red(text: string): string
  /** ✔ ✖ ○ ! in the colour of the verdict. */
  mark(status: Status | Verdict): string
  of(status: Status | Verdict, text: string): string
  severity(severity: Severity, text: string): string
}

const MARKS: Readonly<Record<Status | Verdict, string>> = {passed: '✔', failed: '✖', skipped: '○', partial: '○', errored: '!'}

/** Without colour every style leaves its text alone. */
export function styles(colour: boolean): Styles {
  const ansis = new Ansis(colour ? 1 : 0)
  const paint: Readonly<Record<Status | Verdict, (text: string) => string>> = {
    passed: text => ansis.green(text),
    failed: text => ansis.red.bold(text),
    skipped: text => ansis.yellow(text),
    partial: text => ansis.yellow(text),
    errored: text => ansis.magenta.bold(text),
  }
  return {
    bold: text => ansis.bold(text),
    dim: text => ansis.dim(text),
    green: text => ansis.green(text),
    red: text => ansis.red(text),
    mark: status => paint[status](MARKS[status]),
    severity: (severity, text) =>
      severity === 'error' ? ansis.red.bold(text) : severity === 'warning' ? ansis.yellow.bold(text) : ansis.cyan(text),
    of: (status, text) => (status === 'passed' ? text : paint[status](text)),
  }
}
