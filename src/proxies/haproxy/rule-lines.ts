import {conditionHolds} from './acls.ts'
import type {Truth} from './acls.ts'
import type {Exchange} from './exchange.ts'
import type {Line, Section} from './sections.ts'
import {all} from './sections.ts'

/** Action and condition of a rule line; `at` is where the action's arguments begin. */
export interface Rule {
  line: Line
  action: string
  /** In parentheses behind the action: `set-var(txn.path)`. */
  subject: string
  arguments: readonly string[]
  condition?: {keyword: string; words: readonly string[]}
}

/** Rules of a section that begin with these words, in order: those of its `defaults` first. */
export function rulesOf(section: Section, first: string, ...phase: readonly string[]): readonly Rule[] {
  return all(section, first, ...phase).map(line => ruleOf(line, phase.length + 1))
}

const read = new WeakMap<Line, Map<number, Rule>>()

/** A line read as a rule whose action stands at `words[at]`; once, for every request asks. */
export function ruleOf(line: Line, at: number): Rule {
  const known = read.get(line) ?? new Map<number, Rule>()
  read.set(line, known)
  const rule = known.get(at) ?? readRule(line, at)
  known.set(at, rule)
  return rule
}

function readRule(line: Line, at: number): Rule {
  const [action = '', ...rest] = line.words.slice(at)
  const condition = rest.findIndex(word => word === 'if' || word === 'unless')
  const [, name = action, subject = ''] = /^([a-z0-9.-]+)(?:\((.*)\))?$/i.exec(action) ?? []
  return {
    line,
    action: name,
    subject,
    arguments: condition === -1 ? rest : rest.slice(0, condition),
    ...(condition === -1 ? {} : {condition: {keyword: rest[condition] ?? 'if', words: rest.slice(condition + 1)}}),
  }
}

/** Whether a rule applies. */
export function applies({condition}: Rule, exchange: Exchange): Truth {
  return condition ? conditionHolds(condition.keyword, condition.words, exchange) : {value: true, touches: new Set()}
}
