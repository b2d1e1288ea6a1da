import {CommandHelp, Help} from '@oclif/core/help'

/** oclif cuts off what a list begins with: where its first flag has no letter and others have one, that line would stand two columns too far left. */
class AlignedCommandHelp extends CommandHelp {
  override renderList(...[input, options]: Parameters<CommandHelp['renderList']>): string {
    const list = super.renderList(input, options)
    const [first = ''] = input[0] ?? []
    const besideIt = list.split('\n', 1)[0] !== first.trim()
    return besideIt ? (/^ */.exec(first)?.[0] ?? '') + list : list
  }
}

/** The help of oclif, in columns. */
export class AlignedHelp extends Help {
  protected override CommandHelpClass = AlignedCommandHelp
}
