import {BALANCER_ADDRESS} from '../sandbox-clients.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import {isInNetwork} from './patterns.ts'
import type {Statement} from './parse.ts'
import {statements} from './parse.ts'

/** What `tcp-request connection expect-proxy` lines of a configuration ask for. */
export interface HeaderRules {
  /** True for a `bind` line that waits for a PROXY protocol header of its load balancer. */
  expects(bind: Statement): boolean
  /** Last words of the lists that say who the load balancers are: one more network may stand behind each. */
  trusted: readonly Argument[]
  /** Lines whose conditions cannot be told before a client connects. */
  unclear: readonly Directive[]
}

interface Term {
  negated: boolean
  /** Words of criteria and values, each ended by the argument that stands last; an acl may have several of them. */
  tests: readonly {words: readonly string[]; last: Argument}[]
}

const LINE = ['tcp-request', 'connection', 'expect-proxy']

/** Reads which listeners expect the header of the load balancer of the sandbox, once that is among those whom the conditions trust. */
export function headerRules(config: ParsedConfig): HeaderRules {
  const all = statements(config)
  const lines = all
    .filter(({words}) => LINE.every((word, index) => words[index] === word))
    .map(statement => ({statement, terms: termsOf(statement, all)}))
  const isUnclear = (terms: readonly (readonly Term[])[]) =>
    terms.flat().some(({tests}) => tests.length === 0 || tests.some(({words: [name]}) => name !== 'src' && name !== 'so_name'))
  const followed = lines.filter(({terms}) => !isUnclear(terms))
  const trusts = ({negated, tests}: Term) => !negated && tests.some(({words}) => words[0] === 'src')
  return {
    expects({directive, owner}) {
      const words = directive.args.map(({value}) => value)
      if (words.includes('accept-proxy')) return true
      const name = words[words.indexOf('name') + 1]
      const holds = ({words: [criterion, ...values]}: Term['tests'][number], negated: boolean) =>
        criterion === 'so_name'
          ? words.includes('name') && values.includes(name ?? '')
          : !negated || values.some(value => /^\d/.test(value) && isInNetwork(BALANCER_ADDRESS, value))
      return followed.some(
        ({statement, terms}) =>
          (statement.owner === owner || statement.section === 'defaults') &&
          terms.some(every => every.every(({negated, tests}) => tests.some(test => holds(test, negated)) !== negated)),
      )
    },
    trusted: followed.flatMap(({terms}) => terms.flat().flatMap(term => (trusts(term) ? (term.tests[0]?.last ?? []) : []))),
    unclear: lines.filter(({terms}) => isUnclear(terms)).map(({statement}) => statement.directive),
  }
}

/** The condition as alternatives of terms that all hold; one empty alternative where there is no condition. */
function termsOf({directive: {args}, owner}: Statement, all: readonly Statement[]): readonly (readonly Term[])[] {
  const at = args.findIndex(({value}) => value === 'if' || value === 'unless')
  if (at < 0) return [[]]
  const alternatives: Term[][] = [[]]
  let negated = false
  for (let i = at + 1; i < args.length; i++) {
    const word = args[i]?.value ?? ''
    if (word === '||' || word === 'or') alternatives.push([])
    else if (word === '!') negated = !negated
    else {
      const own = word.startsWith('!') ? !negated : negated
      const name = word.replace(/^!/, '')
      negated = false
      if (name === '{') {
        const end = args.findIndex(({value}, index) => index > i && value === '}')
        alternatives.at(-1)?.push({negated: own, tests: testOf(args.slice(i + 1, end < 0 ? args.length : end))})
        i = end < 0 ? args.length : end
      } else {
        const acls = all.filter(({words, owner: place}) => words[0] === 'acl' && words[1] === name && place === owner)
        alternatives.at(-1)?.push({negated: own, tests: acls.flatMap(({directive}) => testOf(directive.args.slice(1)))})
      }
    }
  }
  if (args[at]?.value === 'if') return alternatives
  // unless A: if not A, which is one alternative where A is one term, and one for each where several have to hold
  const invert = (term: Term) => ({...term, negated: !term.negated})
  return alternatives.reduce<readonly (readonly Term[])[]>(
    (found, every) => found.flatMap(before => every.map(term => [...before, invert(term)])),
    [[]],
  )
}

function testOf(args: readonly Argument[]): Term['tests'] {
  const last = args.at(-1)
  return last ? [{words: args.map(({value}) => value), last}] : []
}
