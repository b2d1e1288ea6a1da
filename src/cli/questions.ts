import type {CANCEL_SYMBOL} from '@clack/prompts'
import {PLAIN} from '../bundle/render.ts'
import {statedVersion, versionToRender} from '../bundle/renderable.ts'
import {PROXY_NAMES} from '../model/catalogue.ts'
import type {ProxyName} from '../model/catalogue.ts'
import {choicesOf, parametersShape} from '../parameters/choices.ts'
import {alternatives, shapeAt} from '../parameters/shape.ts'
import {PROXIES} from '../proxies/index.ts'
import {Interruption} from './session.ts'

/** Why parameters cannot be rendered for a proxy; nothing when they can. */
export function refusals(choices: readonly string[], name: ProxyName): readonly {path: string; because: string}[] {
  const {parameters} = choicesOf(choices)
  if (!parameters) return []
  const proxy = PROXIES[name]
  return proxy.unsupported(parameters, {...PLAIN, version: versionToRender(proxy, statedVersion(parameters, name))})
}

/** Items of a list as a choice: JSON, so that no character of them means anything. */
export function listChoice(key: string, items: readonly string[]): string {
  return `${key}=${JSON.stringify(items)}`
}

/** A flag of its own for a parameter, as it was typed, and the choice that it stands for. */
export interface TypedFlag {
  flag: string
  values: readonly string[]
  choice: string
}

/** Nothing where nothing was typed. */
export function typedList(flag: string, key: string, values: readonly string[]): readonly TypedFlag[] {
  return values.length === 0 ? [] : [{flag, values, choice: listChoice(key, values)}]
}

/** Nothing where nothing was typed. */
export function typedText(flag: string, key: string, value: string | undefined): readonly TypedFlag[] {
  return value === undefined ? [] : [{flag, values: [value], choice: `${key}=${value}`}]
}

/** Problems of what was typed, one line each, in the words of the flag: nobody has typed the choice that it stands for. */
export function problemsOfFlags(choices: readonly string[], typed: readonly TypedFlag[]): readonly string[] {
  return choicesOf(choices).problems.flatMap(({path, message, origin, description}) => {
    // Of a file that does not exist yet, something may be missing that is asked for later.
    if (!origin || !('flag' in origin)) return []
    const own = typed.find(({choice}) => origin.flag === `--set ${choice}`)
    const index = /\.(\d+)$/.exec(path)?.[1]
    const value = own?.values[own.values.length === 1 ? 0 : Number(index)]
    const words = own ? `${own.flag} ${value ?? own.values.join(', ')}: ` : `${origin.flag}: ${path}: `
    return [`  ${words}${message}${own || description === undefined ? '' : `\n      ${description}`}`]
  })
}

/** `a, b c` → `a`, `b`, `c`. */
export function itemsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter(item => item !== '')
}

/**
 * What is wrong with the choice made last, in the words of the schema or of the proxy; `undefined` when nothing is. What is still to be
 * asked for may be missing.
 */
export function objection(choices: readonly string[], key: string, name?: ProxyName): string | undefined {
  const own = ({path}: {path: string}) => path === key || path.startsWith(`${key}.`)
  const problem = choicesOf(choices).problems.find(own)
  if (problem) return problem.message
  return name === undefined ? undefined : refusals(choices, name).find(own)?.because
}

/**
 * Asks a person, on the terminal, for what was not decided by flags. Questions go to stderr, and each answer is judged at once.
 * @returns choices, `KEY=VALUE` as for `--set`.
 * @throws Interruption when the person leaves.
 */
export async function ask(decided: readonly string[]): Promise<readonly string[]> {
  const {select, text, confirm, isCancel} = await import('@clack/prompts')
  const choices = [...decided]
  const answer = <T>(value: T | typeof CANCEL_SYMBOL): T => {
    if (isCancel(value)) throw new Interruption('SIGINT')
    return value
  }
  const output = process.stderr
  // A terminal that does not know its size (a serial line, `script`, a container's) says 0, and every letter would stand on a line of its own.
  output.columns ||= 80
  output.rows ||= 24
  const isDecided = (key: string) => decided.some(choice => choice.startsWith(`${key}=`) || choice.startsWith(`${key}.`))
  const proxyOf = () => PROXY_NAMES.find(name => choices.includes(`proxy=${name}`))
  const words = (key: string) => shapeAt(parametersShape(), key.split('.'))?.description ?? key

  const line = async (
    key: string,
    message: string,
    {
      fallback = '',
      list = false,
      placeholder = '',
      optional = false,
    }: {fallback?: string; list?: boolean; placeholder?: string; optional?: boolean} = {},
  ): Promise<void> => {
    const choice = (value: string) => (list ? listChoice(key, itemsOf(value)) : `${key}=${value.trim()}`)
    const value = answer(
      await text({
        message,
        placeholder: placeholder || fallback,
        ...(fallback === '' ? {} : {defaultValue: fallback}),
        output,
        validate(given = '') {
          const meant = given.trim() === '' ? fallback : given
          if (meant === '') return optional ? undefined : 'this one is needed'
          return objection([...choices, choice(meant)], key, proxyOf())
        },
      }),
    )
    const meant = value.trim() === '' ? fallback : value
    if (meant !== '') choices.push(choice(meant))
  }

  if (!isDecided('proxy')) {
    const proxy = answer(
      await select({
        message: 'Which proxy stands in front of GMS?',
        options: PROXY_NAMES.map(name => ({value: name, label: PROXIES[name].title})),
        output,
      }),
    )
    choices.push(`proxy=${proxy}`)
  }
  if (!isDecided('upstream.nodes'))
    await line('upstream.nodes', 'GMS nodes, host:port, with commas between them', {
      list: true,
      placeholder: 'gms1.network.local:8080, gms2.network.local:8080',
    })
  if (!isDecided('listener.serverNames'))
    await line('listener.serverNames', 'Host names that clients use (none means any)', {
      list: true,
      placeholder: 'chat.example.com',
      optional: true,
    })
  if (!isDecided('tls') && answer(await confirm({message: 'Serve HTTPS and WSS?', initialValue: false, output}))) {
    await line('tls.certificate', words('tls.certificate'), {placeholder: '/etc/ssl/chat/chat.example.com.pem'})
    await line('tls.key', words('tls.key'), {optional: true})
  }
  const encrypted = choices.some(choice => choice.startsWith('tls.'))
  if (encrypted && !isDecided('tls.redirect') && !decided.some(choice => choice.startsWith('listener='))) {
    const message = 'Clients without TLS are served too, in plain text. Redirect them to HTTPS, but for the chat paths?'
    if (answer(await confirm({message, initialValue: true, output}))) choices.push('tls.redirect=true')
  }
  const nodes = choicesOf(choices).parameters?.upstream.nodes.length ?? 0
  if (!isDecided('affinity.mode') && nodes > 1) {
    const shape = shapeAt(parametersShape(), ['affinity', 'mode']) ?? {}
    const modes = alternatives(shape)
      .flatMap(each => each.enum ?? [])
      .map(String)
      .filter(mode => objection([...choices, `affinity.mode=${mode}`], 'affinity', proxyOf()) === undefined)
    const mode = answer(await select({message: `${words('affinity.mode')}?`, options: modes.map(value => ({value})), output}))
    choices.push(`affinity.mode=${mode}`)
  }
  if (!isDecided('upload.maxFileSize')) await line('upload.maxFileSize', words('upload.maxFileSize'), {fallback: '10MiB'})
  if (!isDecided('limits.chats')) await line('limits.chats', words('limits.chats'), {fallback: '1000'})
  return choices
}
