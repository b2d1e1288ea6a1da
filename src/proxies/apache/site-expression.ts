import type {Exchange} from './site-exchange.ts'
import {variable} from './site-exchange.ts'
import {pcre} from './site-patterns.ts'

/** Holds, does not hold, or cannot be told. */
export type Held = boolean | undefined

/** All of them. */
export function every(parts: readonly Held[]): Held {
  return parts.includes(false) ? false : parts.includes(undefined) ? undefined : true
}

/** Any of them. */
export function some(parts: readonly Held[]): Held {
  return parts.includes(true) ? true : parts.includes(undefined) ? undefined : false
}

function not(held: Held): Held {
  return held === undefined ? undefined : !held
}

const TOKEN =
  /^(?:(\s+)|(&&|\|\||==|!=|=~|!~|<=|>=|[<>=!(){},.])|(%\{[^}]*\})|(-[a-zA-Z_]+)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(m#(?:[^#\\]|\\.)*#[a-z]*)|(\$\d)|([A-Za-z_][\w]*)|(\d+))/
const REGEX = /^\s*(?:\/((?:[^/\\]|\\.)*)\/|m#((?:[^#\\]|\\.)*)#)([a-z]*)/

/** Text of an expression's string with `%{NAME}` put in. */
export function interpolate(text: string, exchange: Exchange): string | undefined {
  let known = true
  const result = text.replace(/\\(.)/g, '$1').replace(/%\{([^}]*)\}/g, (_, name: string) => {
    const value = variable(name, exchange)
    if (value === undefined) known = false
    return value ?? ''
  })
  return known ? result : undefined
}

/** Judges an expression of httpd (ap_expr) for one request; `undefined` when it cannot be told, or is none. */
export function judge(expression: string, exchange: Exchange): Held {
  try {
    const reader = new Reader(expression, exchange)
    const held = reader.any()
    return reader.atEnd() ? held : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Reads from left to right; throws SyntaxError for what it does not know. */
class Reader {
  private rest: string

  constructor(
    text: string,
    private readonly exchange: Exchange,
  ) {
    this.rest = text
  }

  atEnd(): boolean {
    return this.rest.trim() === ''
  }

  any(): Held {
    const parts = [this.all()]
    while (this.take('||') || this.takeWord('-o')) parts.push(this.all())
    return some(parts)
  }

  private all(): Held {
    const parts = [this.one()]
    while (this.take('&&') || this.takeWord('-a')) parts.push(this.one())
    return every(parts)
  }

  private one(): Held {
    if (this.take('!')) return not(this.one())
    if (this.take('(')) {
      const held = this.any()
      if (!this.take(')')) throw new SyntaxError('no closing bracket')
      return held
    }
    const literal = /^\s*(true|false)\b(?!\s*\()/i.exec(this.rest)
    if (literal) {
      this.rest = this.rest.slice(literal[0].length)
      return literal[1]?.toLowerCase() === 'true'
    }
    const unary = /^\s*-([nzTdfsLhFURe])\s+/.exec(this.rest) ?? /^\s*-([nzT])(?=[%"'(])/.exec(this.rest)
    if (unary) {
      this.rest = this.rest.slice(unary[0].length)
      const word = this.word()
      return isTrue(unary[1] ?? '', word)
    }
    return this.comparison()
  }

  private comparison(): Held {
    const left = this.word()
    const operator = /^\s*(==|!=|=~|!~|<=|>=|=|<|>|-?(?:eq|ne|lt|le|gt|ge|in)\b|-(?:ipmatch|strmatch|strcmatch|fnmatch)\b)/.exec(this.rest)
    if (!operator) throw new SyntaxError('no operator')
    this.rest = this.rest.slice(operator[0].length)
    const sign = operator[1] ?? ''
    if (sign === '=~' || sign === '!~') {
      const regex = REGEX.exec(this.rest)
      if (!regex) throw new SyntaxError('no pattern')
      this.rest = this.rest.slice(regex[0].length)
      const pattern = pcre(regex[1] ?? regex[2] ?? '', regex[3]?.includes('i') === true)
      const held = pattern === undefined || left === undefined ? undefined : pattern.test(left)
      return sign === '=~' ? held : not(held)
    }
    if (/^-?in$/.test(sign)) {
      const words = this.list()
      if (left === undefined) return undefined
      return some(words.map(word => (word === undefined ? undefined : word === left)))
    }
    const right = this.word()
    if (left === undefined || right === undefined) return undefined
    return compare(sign, left, right)
  }

  private list(): (string | undefined)[] {
    if (!this.take('{')) throw new SyntaxError('no list')
    const words = [this.word()]
    while (this.take(',')) words.push(this.word())
    if (!this.take('}')) throw new SyntaxError('no end of the list')
    return words
  }

  /** A word, or several joined by dots. */
  private word(): string | undefined {
    let text = this.part()
    while (/^\s*\.\s*(?=["'%\w])/.test(this.rest) && this.take('.')) {
      const next = this.part()
      text = text === undefined || next === undefined ? undefined : text + next
    }
    return text
  }

  private part(): string | undefined {
    this.rest = this.rest.trimStart()
    const match = TOKEN.exec(this.rest)
    if (!match) throw new SyntaxError('no word')
    const [whole, , , named, , double, single, , back, name, digits] = match
    this.rest = this.rest.slice(whole.length)
    if (named !== undefined) return variable(named.slice(2, -1), this.exchange)
    if (double !== undefined) return interpolate(double, this.exchange)
    if (single !== undefined) return interpolate(single, this.exchange)
    if (digits !== undefined) return digits
    if (back !== undefined) return undefined
    if (name === undefined) throw new SyntaxError('no word')
    if (!this.take('(')) throw new SyntaxError('no function')
    const argument = this.word()
    if (!this.take(')')) throw new SyntaxError('no end of the function')
    if (argument === undefined) return undefined
    if (/^(?:req|http|req_novary|http_novary|reqenv|env)$/i.test(name)) return variable(`${name}:${argument}`, this.exchange)
    if (/^tolower$/i.test(name)) return argument.toLowerCase()
    return /^toupper$/i.test(name) ? argument.toUpperCase() : undefined
  }

  private take(sign: string): boolean {
    const rest = this.rest.trimStart()
    if (!rest.startsWith(sign)) return false
    this.rest = rest.slice(sign.length)
    return true
  }

  private takeWord(word: string): boolean {
    return new RegExp(`^\\s*${word}\\b`).test(this.rest) && this.take(word)
  }
}

function isTrue(operator: string, word: string | undefined): Held {
  if (word === undefined) return undefined
  if (operator === 'n') return word !== ''
  if (operator === 'z') return word === ''
  if (operator === 'T') return word !== '' && word !== '0' && !/^(?:off|false|no)$/i.test(word)
  return undefined
}

/** Whole numbers compare as numbers, text by its bytes; a text that is no number counts as 0. */
export function compare(sign: string, left: string, right: string): Held {
  const numbers = [left, right].map(text => Number(/^\s*[+-]?\d+/.exec(text)?.[0] ?? 0))
  const [a = 0, b = 0] = numbers
  switch (sign.replace(/^-/, '')) {
    case '==':
    case '=':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    case 'eq':
      return a === b
    case 'ne':
      return a !== b
    case 'lt':
      return a < b
    case 'le':
      return a <= b
    case 'gt':
      return a > b
    case 'ge':
      return a >= b
    default:
      return undefined
  }
}
