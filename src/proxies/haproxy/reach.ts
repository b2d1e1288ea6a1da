import type {Directive} from '../syntax.ts'
import {isWherever} from './addresses.ts'
import type {Statement} from './parse.ts'

/** Where a request says that it wants to go: the sandbox knows every request, so these lead nowhere else. */
const OF_THE_REQUEST = /^(?:url_ip|url_port|dst|dst_port|fc_dst|fc_dst_port|src|src_port|(?:req\.)?hdr_ip\(host(?:,-?\d+)?\))$/i
/** Rules that put a target of the author's into the request. */
const REWRITES = /^(?:set-uri|replace-uri|set-header|add-header|replace-header|replace-value|set-src|set-src-port)$/

/** Connections that would leave for a target which the configuration, not a request of the sandbox, names. */
export function reachesOut(statements: readonly Statement[]): readonly {directive: Directive; because: string}[] {
  const rules = statements.map(statement => ({...statement, rule: ruleOf(statement)}))
  const rewritten = new Set(rules.flatMap(({rule, words}) => (rule && REWRITES.test(rule.name) ? [`${rule.name} ${words[2] ?? ''}`] : [])))
  const isRewritten = (expression: string) =>
    [...rewritten].some(rewrite => {
      const [name = '', header = ''] = rewrite.split(' ')
      if (/uri$/.test(name)) return /^url_/.test(expression)
      if (name.startsWith('set-src')) return expression.startsWith('src')
      return /^host$/i.test(header) && /hdr_ip/.test(expression)
    })
  const variables = new Set(statements.flatMap(({words}) => words.flatMap(word => /^set-var(?:-fmt)?\(([^,)]+)/.exec(word)?.[1] ?? [])))
  return rules.flatMap(({rule, directive, words}) => {
    if (rule && /^set-dst(?:-port)?$/.test(rule.name)) {
      const expression = words[rule.at + 1] ?? ''
      const variable = /^var\(([^,)]+)\)$/.exec(expression)?.[1]
      const isOpen = variable === undefined ? OF_THE_REQUEST.test(expression) && !isRewritten(expression) : !variables.has(variable)
      return isOpen ? [] : [{directive, because: 'it sends requests to a target that is no GMS node'}]
    }
    const target = words[0] === 'server' ? words[2] : undefined
    return target !== undefined && isWherever(target) && /:0*[1-9]\d*$/.test(target)
      ? [{directive, because: 'it sends requests to a port of whatever machine they came in on'}]
      : []
  })
}

/** The action of a rule line and where it stands: `http-request set-dst …`, `tcp-request content set-dst …`. */
function ruleOf({words}: Statement): {name: string; at: number} | undefined {
  const [name = '', phase = ''] = words
  if (!/^(?:http|tcp)-(?:request|response|after-response)$/.test(name)) return undefined
  const at = /^(?:connection|session|content)$/.test(phase) && name.startsWith('tcp') ? 2 : 1
  const action = words[at]
  return action === undefined ? undefined : {name: action.split('(')[0] ?? '', at}
}
