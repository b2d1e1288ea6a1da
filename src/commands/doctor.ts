import {BaseCommand} from '../cli/base-command.ts'
import {formatFlag, outputFlags} from '../cli/flags.ts'
import {surveyText} from '../cli/survey-text.ts'
import {lifeOf, livingBranches} from '../bundle/renderable.ts'
import {EXIT} from '../errors.ts'
import {PROXIES} from '../proxies/index.ts'
import {surveyRuntimes} from '../runtime/survey.ts'

export default class Doctor extends BaseCommand {
  static override summary = 'What this machine can run, and what would be used'
  static override description = `Looks for proxy binaries and a Docker engine, and says which of them verify would take for each proxy, and why; which version render writes for unasked, and whether anybody still mends what is here. Nothing is started, installed or downloaded.

Exit codes: 0 every proxy can be run, 3 at least one cannot.`
  static override examples = [{command: '<%= config.bin %> <%= command.id %>', description: 'Before the first verify'}]
  static override flags = {...formatFlag(['text', 'json']), 'no-color': outputFlags['no-color']}

  async run(): Promise<void> {
    const {flags} = await this.parse(Doctor)
    const found = await surveyRuntimes(Object.values(PROXIES))
    const today = new Date().toISOString().slice(0, 10)
    const survey = {
      ...found,
      proxies: found.proxies.map(each => {
        const proxy = PROXIES[each.proxy]
        const endOfLife = each.chosen?.version === undefined ? undefined : lifeOf(proxy, each.chosen.version, today)
        return {
          ...each,
          render: {newest: proxy.versions.newest, oldest: proxy.versions.oldest, mended: livingBranches(proxy, today)},
          ...(endOfLife === undefined ? {} : {endOfLife}),
        }
      }),
    }
    const node = {version: process.versions.node, platform: `${process.platform}-${process.arch}`}
    await this.result(
      flags.format === 'json'
        ? JSON.stringify(
            {schema: 'gms-proxy/doctor/v1', tool: {name: 'gms-proxy', version: this.config.version}, node, ...survey},
            undefined,
            2,
          )
        : surveyText(survey, {node, version: this.config.version}, {colour: this.colour(flags), width: this.width()}),
    )
    process.exitCode = survey.proxies.every(({chosen}) => chosen) ? EXIT.ok : EXIT.environment
  }
}
