import type {SandboxPlan} from '../proxy.ts'
import type {Argument, Directive} from '../syntax.ts'
import {clientNetworks, CLIENTS_WHY, isNetwork} from '../sandbox-clients.ts'

const REFUSALS = /^(?:http-request (?:deny|reject|tarpit|silent-drop)|tcp-request (?:connection|content|session) reject)\b/

/** Words that are to stand behind one of the file. */
export interface Appended {
  argument: Argument
  text: string
  why: string
}

/** Lets the users of the sandbox through lists of networks: acls, and conditions in braces, without which a request is refused. */
export function clientEdits(directives: readonly Directive[], plan: SandboxPlan): readonly Appended[] {
  const text = clientNetworks(plan).join(' ')
  const refusals = directives.filter(directive => REFUSALS.test([directive.name, ...directive.args.map(({value}) => value)].join(' ')))
  const needed = new Set(refusals.flatMap(({args}) => neededNames(args.map(({value}) => value))))
  const after = (argument: Argument): Appended => ({argument, text, why: CLIENTS_WHY})
  const seen = new Set<string>()
  const ofAcls = directives.flatMap(({name, args}): readonly Appended[] => {
    const [own, ...rest] = args
    const last = rest.at(-1)
    if (name !== 'acl' || !own || !last || !needed.has(own.value) || seen.has(own.value) || !isNetwork(last.value)) return []
    seen.add(own.value)
    return [after(last)]
  })
  const inBraces = refusals.flatMap(({args}) =>
    args.flatMap((argument, index): readonly Appended[] => {
      const before = args[index - 1]
      const opens = args.findLastIndex(({value}, at) => at < index && /^!?\{$/.test(value))
      const condition = args[opens - 1]?.value
      const negated = args[opens]?.value === '!{' || condition === '!' || condition === 'unless'
      return argument.value === '}' && before && negated && args[opens + 1]?.value === 'src' && isNetwork(before.value)
        ? [after(before)]
        : []
    }),
  )
  return [...ofAcls, ...inBraces]
}

/** Names after `unless`, and those with `!` after `if`: without them a request is refused. */
function neededNames(words: readonly string[]): readonly string[] {
  const at = words.findIndex(word => word === 'if' || word === 'unless')
  const rest = words.slice(at + 1)
  if (at < 0) return []
  return words[at] === 'unless' ? rest.filter(word => /^[\w.-]+$/.test(word)) : rest.flatMap(word => /^!([\w.-]+)$/.exec(word)?.[1] ?? [])
}
