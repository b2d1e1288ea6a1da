import {harmless} from './plain.ts'

/** One XML element; text and attribute values are escaped, and made legal XML, when it is printed. */
export interface Element {
  name: string
  attributes: Readonly<Record<string, string | number>>
  children?: readonly Element[]
  text?: string
}

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;', '\t': '&#9;'}

/** A whole document, two spaces to a level. */
export function xml(root: Element): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${print(root, '')}\n`
}

function print({name, attributes, children = [], text}: Element, indent: string): string {
  const values = Object.entries(attributes).map(
    ([key, value]) =>
      ` ${key}="${harmless(String(value))
        .replace(/[&<>"\n\t]/g, character => ENTITIES[character] ?? '')
        .replaceAll('##[', '##&#91;')}"`,
  )
  const open = `${indent}<${name}${values.join('')}`
  if (text !== undefined) return `${open}>${escaped(text)}</${name}>`
  if (children.length === 0) return `${open}/>`
  return [`${open}>`, ...children.map(child => print(child, `${indent}  `)), `${indent}</${name}>`].join('\n')
}

/** No line of it is a command of a runner that prints the document into its log. */
function escaped(text: string): string {
  return harmless(text)
    .replace(/[&<>]/g, character => ENTITIES[character] ?? '')
    .replace(/^([^\S\n]*):(?=:)/gm, '$1&#58;')
    .replaceAll('##[', '##&#91;')
}
