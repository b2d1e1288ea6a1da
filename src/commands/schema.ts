import {BaseCommand} from '../cli/base-command.ts'
import {parametersSchema} from '../parameters/schema.ts'
import {jsonSchemaOf} from '../parameters/shape.ts'

export default class Schema extends BaseCommand {
  static override summary = 'JSON Schema of the parameters file'
  static override description = `Every parameter with its description, default and grammar. Editors that know JSON Schema complete and check the file when its first line is: # yaml-language-server: $schema=gms-proxy.schema.json`
  static override examples = [{description: 'For an editor', command: '<%= config.bin %> <%= command.id %> > gms-proxy.schema.json'}]

  async run(): Promise<void> {
    await this.parse(Schema)
    await this.result(JSON.stringify({title: 'gms-proxy parameters', ...jsonSchemaOf(parametersSchema)}, undefined, 2))
  }
}
