import {explained} from '../diagnose/diagnose.ts'
import {RULES} from '../lint/rules/index.ts'
import type {Report} from '../model/report.ts'
import type {Subject} from '../verify/subject.ts'
import {verify} from '../verify/verify.ts'
import type {VerifyOptions} from '../verify/verify.ts'
import Verify from './verify.ts'

export default class Diagnose extends Verify {
  static override summary = 'Say why chat does not work: ranked causes, each with its place and the change that mends it'
  static override description = `A SUBJECT is what it is for verify. It is run as verify runs it and read as lint reads it, and both are joined: a defect that stands in the file and that traffic felt is certain; a failure that a defect in the file, or a line in the log of the proxy, can explain is likely; what only one of them says is possible. A failure that nothing explains is said to be unexplained.

Exit codes: 0 as promised, 1 findings, 2 wrong flags, parameters or files, 3 could not judge, 130 interrupted.`
  static override examples = [
    {description: 'Why does this file not work?', command: '<%= config.bin %> <%= command.id %> ./haproxy.cfg'},
    {description: 'Held to what this deployment promises', command: '<%= config.bin %> <%= command.id %> ./conf --params gms-proxy.yaml'},
    {description: 'Only what concerns WebSocket, in seconds', command: '<%= config.bin %> <%= command.id %> ./nginx.conf --only upgrade'},
  ]
  protected override readonly verb = 'diagnose'

  protected override async judge(subjects: readonly Subject[], options: VerifyOptions): Promise<Report> {
    const judged = await verify(subjects, options)
    return {...explained(judged, subjects, RULES, {always: true}), command: 'diagnose'}
  }
}
