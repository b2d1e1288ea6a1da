import * as Args from '@oclif/core/args'
import {BaseCommand} from '../cli/base-command.ts'
import {formatFlag, outputFlags} from '../cli/flags.ts'
import {page} from '../cli/page.ts'
import {CATALOGUE, markdownOf} from '../cli/pages.ts'
import type {Entry} from '../cli/pages.ts'
import {UsageError} from '../errors.ts'
import {CONCERNS} from '../model/catalogue.ts'
import type {Concern} from '../model/catalogue.ts'
import {nearest} from '../parameters/suggest.ts'
import {fit} from '../report/plain.ts'
import {styles} from '../report/text-styles.ts'

export default class Explain extends BaseCommand {
  static override summary = 'The page of one check, rule or cause; without an id, all of them'
  static override description = `A check is a promise that is felt in traffic (verify), a rule a defect that is read in a configuration (lint), a cause a defect that stands in no file and is seen from outside (diagnose URL). The page says what must hold and who says so, what happens when it does not, why that matters for GMS chat, and the change that mends it.`
  static override examples = [
    {description: 'Everything that is checked and read', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'What concerns TLS', command: '<%= config.bin %> <%= command.id %> tls'},
    {description: 'One check', command: '<%= config.bin %> <%= command.id %> upgrade-handshake'},
    {description: 'One rule', command: '<%= config.bin %> <%= command.id %> upgrade-headers-missing'},
    {description: 'One cause that no file shows', command: '<%= config.bin %> <%= command.id %> tls-certificate-untrusted'},
  ]
  static override args = {
    id: Args.string({
      name: 'ID',
      ignoreStdin: true,
      description: 'Id of a check, a rule or a cause, as reports print it, or a concern such as tls',
    }),
  }
  static override flags = {...formatFlag(['text', 'json']), 'no-color': outputFlags['no-color']}

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Explain)
    const json = (value: unknown) => this.result(JSON.stringify(value, undefined, 2))
    const concern = CONCERNS.find(name => name === args.id)
    if (args.id === undefined || concern) {
      const entries = CATALOGUE.filter(({meta}) => concern === undefined || meta.concern === concern)
      if (flags.format === 'json') return json(entries.map(({kind, meta}) => ({kind, ...meta})))
      return this.result(this.grid(entries, this.colour(flags)))
    }
    const entry = CATALOGUE.find(({meta}) => meta.id === args.id)
    if (!entry) throw unknown(args.id)
    const markdown = markdownOf(entry, this.config.root)
    if (flags.format === 'json') return json({kind: entry.kind, ...entry.meta, page: markdown})
    return this.result(page(markdown, {colour: this.colour(flags), width: this.width()}))
  }

  private grid(all: readonly Entry[], colour: boolean): string {
    const style = styles(colour)
    const widest = Math.max(0, ...all.map(({meta}) => meta.id.length))
    const row = ({kind, meta: {id, title, severity}}: Entry, label: string) =>
      `  ${style.dim(fit(label, 12))}${style.dim(fit(kind, 7))}${fit(id, widest + 2)}${title}${severity === 'error' ? '' : style.dim(` (${severity})`)}`
    const rows = CONCERNS.flatMap((concern: Concern) =>
      all.filter(({meta}) => meta.concern === concern).map((entry, index) => row(entry, index === 0 ? concern : '')),
    )
    return [...rows, '', style.dim('  gms-proxy explain ID shows one of them')].join('\n')
  }
}

function unknown(id: string): UsageError {
  const ids = CATALOGUE.map(({meta}) => meta.id)
  const begun = ids.filter(known => known.startsWith(`${id}-`))
  const concern = nearest(id, CONCERNS)
  const sameConcern = begun.length > 0 ? begun : concern === undefined ? [] : [concern]
  const meant = begun.length > 0 ? undefined : nearest(id, ids)
  return new UsageError(`${JSON.stringify(id)} is not the id of a check, a rule or a cause`, {
    suggestions: [
      ...(meant === undefined ? sameConcern : [meant]).map(known => `gms-proxy explain ${known}`),
      'gms-proxy explain lists all of them',
    ],
  })
}
