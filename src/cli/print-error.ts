import {Ansis} from 'ansis'
import {redact} from '../model/redact.ts'
import {harmless, withoutCommands} from '../report/plain.ts'
import {showable} from './access.ts'

function colours(): Ansis {
  const wanted = process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '' && !process.argv.includes('--no-color')
  return new Ansis(wanted ? 1 : 0)
}

/** One clear message, and what to do next. */
export function printError(message: string, suggestions: readonly string[]): void {
  const {red, bold, dim} = colours()
  // File names, keys and values of somebody else's file are quoted: they may not steer the terminal.
  const [first = '', ...more] = message.split('\n').map(harmless)
  const lines = [`${red('✖')} ${bold(first)}`, ...more]
  const [only] = suggestions
  if (suggestions.length === 1 && only !== undefined) lines.push('', `${dim('Try this:')} ${harmless(only)}`)
  if (suggestions.length > 1) lines.push('', dim('Try this:'), ...suggestions.map(suggestion => `  • ${harmless(suggestion)}`))
  process.stderr.write(withoutCommands(`${lines.join('\n')}\n`))
}

/** Something that should not have been possible: the whole stack, and whom to tell. */
export function printBug(error: unknown, argv: readonly string[], issues: string | undefined): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  printError(
    [
      'This is a bug in gms-proxy, not in your configuration.',
      `command: gms-proxy ${redact(showable(argv).join(' '))}`,
      `node:    ${process.version} ${process.platform}-${process.arch}`,
      '',
      stack,
    ].join('\n'),
    [`report it, with the lines above, ${issues === undefined ? 'to those who gave you gms-proxy' : `at ${issues}`}`],
  )
}
