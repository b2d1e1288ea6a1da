import type {Report} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import {json} from './json.ts'
import {junit} from './junit.ts'
import {text} from './text.ts'

/** REGISTRY of the formats of a report, by the word that `--format` takes. */
export const FORMATS = {text, json, junit} satisfies Record<string, (report: Report, canvas: Canvas) => string>
export type Format = keyof typeof FORMATS
