import {harmless, wrap} from '../report/plain.ts'
import {styles} from '../report/text-styles.ts'
import type {Survey, SurveyedProxy} from '../runtime/survey.ts'

/** A proxy, what `render` knows of it, and what is to be said about the age of what would be run. */
type Described = SurveyedProxy & {render: {newest: string; oldest: string; mended: readonly string[]}; endOfLife?: string}

/** What `doctor` tells a person. */
export function surveyText(
  {docker, proxies}: Pick<Survey, 'docker'> & {proxies: readonly Described[]},
  about: {version: string; node: {version: string; platform: string}},
  {colour, width}: {colour: boolean; width: number},
): string {
  const style = styles(colour)
  const row = (label: string, text: string) =>
    wrap(harmless(text), width - 12).map((line, index) => `    ${style.dim((index === 0 ? label : '').padEnd(8))}${line}`)
  const engine = docker.answers ? ['the engine answers'] : wrap(harmless(docker.because ?? 'no engine answers'), width - 12)
  const blocks = proxies.map(proxy => [
    `${style.mark(proxy.chosen ? 'passed' : 'errored')} ${style.bold(proxy.title)}  ${chosenText(proxy)}`,
    ...row('why', proxy.because),
    ...proxy.binaries.map(({path, version, where}) => row('binary', `${path} ${version}, found ${where}`)).flat(),
    ...row(
      'render',
      `for ${proxy.render.newest} unless asked for another, ${proxy.render.oldest} the oldest; mended are ${proxy.render.mended.join(', ')}`,
    ),
    ...(proxy.endOfLife === undefined ? [] : row('note', proxy.endOfLife)),
    ...row('image', `${proxy.image.reference}${proxy.image.present ? ', present' : docker.answers ? ', would be pulled' : ''}`),
  ])
  const first = proxies.find(({chosen}) => chosen)
  return [
    `gms-proxy ${about.version} · Node ${about.node.version} · ${about.node.platform}`,
    '',
    ...blocks.flatMap(block => [...block, '']),
    ...engine.map(
      (line, index) => `${index === 0 ? `${style.mark(docker.answers ? 'passed' : 'skipped')} Docker    ` : '            '}${line}`,
    ),
    '',
    style.dim(
      first
        ? `  next: gms-proxy verify ${proxies.every(({chosen}) => chosen) ? 'all' : first.proxy}`
        : '  next: install one of the proxies, or start a Docker engine',
    ),
  ].join('\n')
}

function chosenText({chosen}: SurveyedProxy): string {
  if (!chosen) return 'cannot be run here'
  return chosen.kind === 'binary' ? `${chosen.version ?? ''} as a local binary` : `in Docker, ${chosen.reference}`
}
