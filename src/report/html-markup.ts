import {harmless} from './plain.ts'

/** Markup that may be printed as it is. Only `markup` makes it. */
class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
export type {Markup}

type Value = Markup | string | number | false | undefined | readonly Value[]

/**
 * A template whose values are text: they are made harmless and escaped, for an element and for an attribute in double quotes. What is
 * markup itself, and lists of it, stays; `false` and `undefined` print nothing.
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(parts.map((part, index) => (index === 0 ? '' : printed(values[index - 1])) + part).join(''))
}

/** Nothing. */
export const NOTHING = markup``

function printed(value: Value): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value))
  return value.map(printed).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'}

function escaped(text: string): string {
  return (
    harmless(text)
      .replace(/[&<>"']/g, character => ENTITIES[character] ?? '')
      // No line of the page is a command of a runner that prints it into its log.
      .replace(/::/g, '&#58;:')
      .replaceAll('##[', '##&#91;')
  )
}
