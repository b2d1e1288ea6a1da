import type {Concern, Severity} from '../model/catalogue.ts'

/** What the catalogue says of one check, rule or cause, for formats that carry help with them. */
export interface Page {
  id: string
  kind: 'check' | 'rule' | 'cause'
  title: string
  concern: Concern
  severity: Severity
  requirement: string
  /** The whole page, Markdown. */
  markdown: string
}

/** Finds the page of an id; `undefined` for one that is not in the catalogue. */
export type Pages = (id: string) => Page | undefined
