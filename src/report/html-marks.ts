import type {Severity} from '../model/catalogue.ts'
import type {Status, Verdict} from '../model/report.ts'
import {markup} from './html-markup.ts'
import type {Markup} from './html-markup.ts'

/** How something ended, or how bad it is: also the class that colours it. */
export type Tone = Status | Verdict | Severity | 'none'

const SHAPES: Readonly<Record<Tone, Markup>> = {
  passed: markup`<path d="M3.5 8.5l3 3 6-7"/>`,
  partial: markup`<circle cx="8" cy="8" r="4.5"/>`,
  skipped: markup`<circle cx="8" cy="8" r="4.5"/>`,
  failed: markup`<path d="M4 4l8 8M12 4l-8 8"/>`,
  error: markup`<path d="M4 4l8 8M12 4l-8 8"/>`,
  errored: markup`<path d="M8 3v6.5M8 12.4v.2"/>`,
  warning: markup`<path d="M8 2.5L14 13H2zM8 6.5v3M8 11.2v.1"/>`,
  note: markup`<path d="M8 7v5M8 4.2v.1"/>`,
  none: markup`<path d="M5 8h6"/>`,
}

/** A drawn sign, so that no font decides what it looks like. `label`: what a screen reader says, else it is silent. */
export function mark(tone: Tone, label?: string): Markup {
  const name = label === undefined ? markup`aria-hidden="true"` : markup`role="img" aria-label="${label}"`
  return markup`<svg class="mark ${tone}" viewBox="0 0 16 16" ${name}>${SHAPES[tone]}</svg>`
}
