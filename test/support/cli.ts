import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {execa} from 'execa'
import type {Report, Status, SubjectReport} from '../../src/model/report.ts'

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '../..')
const entry = join(projectRoot, 'bin/run.js')

export interface CliResult {
  exitCode: number | undefined
  stdout: string
  stderr: string
}

/** Runs the built program as a person would, from the root of the project unless `cwd` says otherwise. */
export async function runCli(
  args: readonly string[],
  {cwd = projectRoot, input = '', env = {}}: {cwd?: string; input?: string; env?: Record<string, string>} = {},
): Promise<CliResult> {
  const {exitCode, stdout, stderr} = await execa(process.execPath, [entry, ...args], {
    cwd,
    input,
    env: {NO_COLOR: '1', ...env},
    reject: false,
  })
  return {exitCode, stdout, stderr}
}

/** `verify … --format json`. */
export async function verifyJson(args: readonly string[]): Promise<{report: Report; exitCode: number | undefined; stderr: string}> {
  const {stdout, stderr, exitCode} = await runCli(['verify', ...args, '--format', 'json'])
  if (stdout === '') throw new Error(`no report (exit ${exitCode}): ${stderr}`)
  return {report: JSON.parse(stdout) as Report, exitCode, stderr}
}

/** Ids of the outcomes with this status, sorted; `skipped` are those that could not be judged, `notPromised` those with nothing to judge. */
export function idsWith(subject: SubjectReport | undefined, status: Status | 'notPromised'): readonly string[] {
  return (subject?.outcomes ?? [])
    .filter(outcome => (outcome.notPromised ? 'notPromised' : outcome.status) === status)
    .map(({id}) => id)
    .sort()
}
