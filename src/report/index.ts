import type {Report} from '../model/report.ts'
import type {Canvas} from './canvas.ts'
import {github} from './github.ts'
import {html} from './html.ts'
import {json} from './json.ts'
import {junit} from './junit.ts'
import {markdown} from './markdown.ts'
import type {Pages} from './pages.ts'
import {sarif} from './sarif.ts'
import {text} from './text.ts'

/** Prints a report. Formats for machines ignore the canvas, most ignore the pages of the catalogue. */
type Print = (report: Report, canvas: Canvas, pages: Pages) => string

const ALL = {text, json, junit, sarif, github, markdown, html}
export type Format = keyof typeof ALL

/** REGISTRY of the formats of a report, by the word that `--format` takes. */
export const FORMATS: Readonly<Record<Format, Print>> = ALL
