import * as Flags from '@oclif/core/flags'
import {BaseCommand} from '../cli/base-command.ts'
import {writeOwn} from '../cli/own-files.ts'
import {outputFlags} from '../cli/flags.ts'
import {editorSchema} from '../parameters/editor-schema.ts'

export default class Schema extends BaseCommand {
  static override summary = 'JSON Schema of the parameters file'
  static override description = `Every parameter with its description, default, examples and grammar. Editors that know JSON Schema complete and check a file that begins with: # yaml-language-server: $schema=gms-proxy.schema.json`
  static override examples = [
    {description: 'Everything that may be written', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'For an editor', command: '<%= config.bin %> <%= command.id %> --out gms-proxy.schema.json'},
  ]
  static override flags = {
    out: Flags.string({char: 'o', env: 'GMS_PROXY_OUT', helpValue: 'FILE', summary: 'File to write to, instead of stdout'}),
    quiet: outputFlags.quiet,
  }

  async run(): Promise<void> {
    const {flags} = await this.parse(Schema)
    if (flags.out === undefined) return this.result(editorSchema())
    await writeOwn(flags.out, editorSchema())
    if (!flags.quiet) this.note(`written ${flags.out}`)
  }
}
