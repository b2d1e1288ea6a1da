import type {Promises} from '../model/report.ts'
import {formatDuration, formatSize} from '../parameters/units.ts'
import type {Canvas} from './canvas.ts'
import {harmless, wrap} from './plain.ts'
import type {Styles} from './text-styles.ts'

/** What the subject is judged by, in words, by where each number comes from. */
export function promiseWords(promises: Promises): ReadonlyMap<string, readonly string[]> {
  const words: readonly (readonly [string, string])[] = [
    ['nodes', `${promises.nodes} ${promises.nodes === 1 ? 'node' : 'nodes'}`],
    ...(promises.serverName === undefined ? [] : [['serverName', promises.serverName] as const]),
    ['affinity', promises.affinity === 'required' ? 'a session stays on its node' : 'no affinity needed'],
    ['chats', `${promises.chats} chats`],
    ['maxFileSize', `files to ${formatSize(promises.maxFileSize)}`],
    ['holdMs', `polls held ${formatDuration(promises.holdMs)}`],
    ['upgradeIdleMs', `WebSockets silent ${formatDuration(promises.upgradeIdleMs)}`],
    ['paths', promises.paths.join(' ')],
  ]
  const bySource = new Map<string, string[]>()
  for (const [key, word] of words) {
    const source = promises.source[key] ?? 'default'
    bySource.set(source, [...(bySource.get(source) ?? []), word])
  }
  return bySource
}

/** The same for a terminal. */
export function promiseLines(promises: Promises, {width}: Canvas, style: Styles): readonly string[] {
  const LABEL = '  held to  '
  return [...promiseWords(promises)].flatMap(([source, said], index) =>
    wrap(harmless(`${said.join(' · ')} (${source})`), width - LABEL.length).map((line, row) =>
      style.dim((index === 0 && row === 0 ? LABEL : ' '.repeat(LABEL.length)) + line),
    ),
  )
}
