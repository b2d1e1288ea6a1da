import {duration, harmless, wrap} from '../report/plain.ts'
import {brief} from '../report/text-causes.ts'
import {styles} from '../report/text-styles.ts'
import type {Cause} from '../model/report.ts'
import {inFront} from '../diagnose/live/diagnose-url.ts'
import {writer} from '../model/live.ts'
import {phasesOf} from '../report/live-phases.ts'
import type {LiveAnswer, LiveReport, Seen} from '../diagnose/live/live.ts'

interface Canvas {
  colour: boolean
  width: number
  verbose: boolean
}

const LABEL = 12

/** What `diagnose URL` tells a person: does chat work, why not, and what to change; then everything that was seen. */
export function liveText(report: LiveReport, {colour, width, verbose}: Canvas): string {
  const style = styles(colour)
  const {seen, idle, direct} = report.live
  const row = (label: string, text: string) =>
    wrap(harmless(text), width - LABEL - 4).map((line, index) => `    ${style.dim((index === 0 ? label : '').padEnd(LABEL))}${line}`)
  const failed = report.outcomes.filter(({status}) => status === 'failed')
  const phases = phasesOf(seen).map(
    ({mark, name, tookMs, text}) =>
      `  ${style.mark(mark)} ${name.padEnd(LABEL)}${tookMs === undefined ? ''.padStart(9) : duration(tookMs).padStart(9)}   ${harmless(text)}`,
  )
  const felt = report.outcomes
    .filter(({id}) => !PHASES.includes(id))
    .map(({status, title, durationMs, detail, because, findings}) => {
      const told = status === 'failed' ? (findings[0]?.actual ?? '') : status === 'passed' ? (detail ?? '') : (because ?? '')
      return wrap(
        `${title}${told === '' ? '' : `: ${harmless(told)}`}${status === 'passed' && durationMs > 0 ? ` (${duration(durationMs)})` : ''}`,
        width - 6,
      ).map((line, index) => (index === 0 ? `  ${style.mark(status)} ${style.of(status, line)}` : `    ${line}`))
    })
    .flat()
  const [told, possible] = partitioned(report, verbose)
  const causes = told.flatMap(({id, confidence, title, because, location, remediation, explains, patch}) => [
    '',
    `${style.mark('failed')} ${style.bold(title)}  ${style.dim(`${confidence} · ${id}`)}`,
    ...because.flatMap((text, index) => row(index === 0 ? 'Seen' : '', text)),
    ...(location ? row('Where', `${location.file}:${location.line}${location.column === undefined ? '' : `:${location.column}`}`) : []),
    ...(explains.length > 0 ? row('Explains', explains.join(', ')) : []),
    ...row('Mend', remediation),
    ...(patch === undefined
      ? []
      : harmless(patch)
          .split('\n')
          .map(line => `    ${''.padEnd(LABEL)}${line}`)),
  ])
  const unexplained = report.unexplained ?? []
  const raw = [...Object.values(seen.asks), ...(seen.underOtherHost ? [seen.underOtherHost.answer] : [])]
  const shownRaw = verbose ? raw : onceEach(raw.filter(notable))
  const answers = shownRaw.flatMap(answer => [
    ...row(
      answer.what,
      `${answer.statusLine ?? answer.failure?.reason ?? 'no answer'}, ${writer(answer.by)}${answer.by.because.length > 0 ? ` (${answer.by.because.join(', ')})` : ''}`,
    ).map((line, index) => (index === 0 ? `    ${style.dim(answer.what)}  ${line.slice(4 + answer.what.padEnd(LABEL).length)}` : line)),
    ...Object.entries(answer.headers).flatMap(([name, values]) =>
      values.map(value => style.dim(`        ${harmless(`${name}: ${value}`)}`)),
    ),
    ...(answer.body === '' ? [] : wrap(harmless(answer.body.trim()).slice(0, 600), width - 8).map(line => `        ${line}`)),
  ])
  return [
    `gms-proxy diagnose ${report.name}      ${inFront(seen)}${seen.proxy ? style.dim(`  ${harmless(seen.proxy.because.join(', '))}`) : ''}`,
    '',
    ...phases,
    '',
    ...felt,
    ...causes,
    ...(possible.length > 0
      ? ['', style.dim('Also possible:'), ...possible.flatMap(cause => brief(cause, {colour, width, verbose}, style))]
      : []),
    ...(unexplained.length > 0 ? ['', `${style.mark('errored')} not explained for sure: ${unexplained.join(', ')}`] : []),
    ...(idle?.cutMs === undefined
      ? []
      : ['', `  An idle WebSocket is cut after ${duration(idle.cutMs)}; it was alive after ${duration(idle.survivedMs)}.`]),
    ...(direct ? ['', `  GMS itself at ${direct.seen.url}: ${directly(direct.seen)}`] : []),
    ...(answers.length > 0 ? ['', style.bold(verbose ? 'Every answer' : 'Answers that GMS did not give, or that say no'), ...answers] : []),
    '',
    failed.length === 0
      ? `${style.mark('passed')} nothing wrong was seen from here`
      : `${style.mark('failed')} ${failed.length} failed · ${report.causes.length} ${report.causes.length === 1 ? 'cause' : 'causes'} named${direct ? '' : style.dim('   --direct URL compares with GMS itself, --config FILE with the file')}`,
  ].join('\n')
}

/** Causes that are told in full, and those that only might be beside one that is surer: they are told in full where somebody wants it all. */
function partitioned({causes}: LiveReport, verbose: boolean): readonly [readonly Cause[], readonly Cause[]] {
  const surer = new Set(causes.flatMap(({confidence, explains}) => (confidence === 'possible' ? [] : explains)))
  const aside = ({confidence, explains}: Cause) => !verbose && confidence === 'possible' && explains.every(id => surer.has(id))
  return [causes.filter(cause => !aside(cause)), causes.filter(aside)]
}

/** Answers that say the same to the same question are shown once. */
function onceEach(answers: readonly LiveAnswer[]): readonly LiveAnswer[] {
  const shown = new Map(
    answers.map(answer => [JSON.stringify([answer.what, answer.statusLine, answer.body, answer.failure?.reason]), answer]),
  )
  return [...shown.values()]
}

const PHASES = ['listener-name-resolves', 'listener-accepts-connections', 'tls-terminates']

function notable({status, by, failure, what}: LiveAnswer): boolean {
  if (status === undefined) return failure !== undefined && !/^POST .*chat-ntf$/.test(what)
  return by.who !== 'gms' || status >= 400
}

function directly({asks, resolved, connected}: Seen): string {
  const {handshake, upgrade} = asks
  if (!handshake) return resolved.failure?.reason ?? connected?.failure?.reason ?? 'no answer'
  return `a handshake ${handshake.status ?? 'without answer'} ${writer(handshake.by)}, an upgrade ${upgrade?.status ?? 'without answer'}`
}
