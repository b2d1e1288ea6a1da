import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import * as Args from '@oclif/core/args'
import {BaseCommand} from '../cli/base-command.ts'
import {formatFlag, outputFlags} from '../cli/flags.ts'
import {page} from '../cli/page.ts'
import {UsageError} from '../errors.ts'
import {CONCERNS} from '../model/catalogue.ts'
import type {Meta} from '../model/catalogue.ts'
import {nearest} from '../parameters/suggest.ts'
import {fit} from '../report/plain.ts'
import {styles} from '../report/text-styles.ts'
import {CHECKS} from '../verify/checks/index.ts'

export default class Explain extends BaseCommand {
  static override summary = 'The page of one check; without an id, all of them'
  static override description =
    'What must hold and who says so, what happens when it does not, why that matters for GMS chat, and the change that mends it.'
  static override examples = [
    {description: 'Everything that is checked', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'One of them', command: '<%= config.bin %> <%= command.id %> upgrade-handshake'},
  ]
  static override args = {id: Args.string({name: 'ID', ignoreStdin: true, description: 'Id of a check, as reports print it'})}
  static override flags = {...formatFlag(['text', 'json']), 'no-color': outputFlags['no-color']}

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Explain)
    const all = CHECKS.map(({meta}) => meta)
    const json = (value: unknown) => this.result(JSON.stringify(value, undefined, 2))
    if (args.id === undefined) return flags.format === 'json' ? json(all) : this.result(this.grid(all, this.colour(flags)))
    const meta = all.find(({id}) => id === args.id)
    if (!meta) throw unknown(args.id, all)
    const markdown = await readFile(join(this.config.root, 'src', 'verify', 'checks', meta.id, 'README.md'), 'utf8')
    if (flags.format === 'json') return json({...meta, page: markdown})
    return this.result(page(markdown, {colour: this.colour(flags), width: this.width()}))
  }

  private grid(all: readonly Meta[], colour: boolean): string {
    const style = styles(colour)
    const widest = Math.max(0, ...all.map(({id}) => id.length))
    const rows = CONCERNS.flatMap(concern =>
      all
        .filter(meta => meta.concern === concern)
        .map(
          ({id, title, severity}, index) =>
            `  ${style.dim(fit(index === 0 ? concern : '', 12))}${fit(id, widest + 2)}${title}${severity === 'error' ? '' : style.dim(` (${severity})`)}`,
        ),
    )
    return [...rows, '', style.dim('  gms-proxy explain ID shows one of them')].join('\n')
  }
}

function unknown(id: string, all: readonly Meta[]): UsageError {
  const ids = all.map(meta => meta.id)
  const begun = ids.filter(known => known.startsWith(`${id}-`))
  const concern = nearest(id, CONCERNS)
  const sameConcern = begun.length > 0 ? begun : ids.filter(known => concern !== undefined && known.startsWith(`${concern}-`))
  const meant = begun.length > 0 ? undefined : nearest(id, ids)
  return new UsageError(`${JSON.stringify(id)} is not the id of a check`, {
    suggestions: [
      ...(meant === undefined ? sameConcern : [meant]).map(known => `gms-proxy explain ${known}`),
      'gms-proxy explain lists all of them',
    ],
  })
}
