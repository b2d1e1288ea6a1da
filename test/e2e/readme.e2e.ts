import {mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {delimiter, dirname, join} from 'node:path'
import {execa} from 'execa'
import {afterAll, describe, expect, it} from 'vitest'
import {projectRoot} from '../support/cli.ts'

// Every command of the README is run in a folder that holds the README's files; `# exit N` beside a command says what it must exit with.
const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'readme-test-'))
const bin = join(folder, 'bin')
mkdirSync(bin)
symlinkSync(join(projectRoot, 'bin/run.js'), join(bin, 'gms-proxy'))
for (const [, file = '', text = ''] of readme.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)) writeFileSync(join(folder, file), text)

const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block = '']) => block.trim().split('\n'))
  .filter(line => line.startsWith('gms-proxy '))
  .map(line => {
    const [command = '', comment = ''] = line.split(/\s+# /)
    // `--check … exit 1 with a diff when` describes; a bare `exit N` demands.
    return {command, exitCode: Number(/^exit (\d+)$/.exec(comment.trim())?.[1] ?? 0)}
  })

const env = {PATH: [bin, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter), NO_COLOR: '1'}

afterAll(() => rmSync(folder, {recursive: true, force: true}))

describe('the commands of the README', () => {
  it('are found', () => expect(commands.length).toBeGreaterThan(10))

  const order = commands.filter(({command}) => command.includes('--out'))
  it('render into a folder, and find no drift there', async () => {
    for (const {command, exitCode} of order)
      expect({command, exitCode: (await execa(command, {shell: true, cwd: folder, env, reject: false})).exitCode}).toEqual({
        command,
        exitCode,
      })
  })

  describe.concurrent('run as they are written', () => {
    it.each(commands.filter(each => !order.includes(each) && !each.command.includes('simulate')))(
      '$command',
      {timeout: 240_000},
      async ({command, exitCode}) => {
        const result = await execa(command, {shell: true, cwd: folder, env, reject: false})
        expect({command, exitCode: result.exitCode}, result.stderr).toEqual({command, exitCode})
        expect(result.stdout).not.toBe('')
      },
    )
  })

  it('simulates until it is interrupted', {timeout: 30_000}, async () => {
    const [{command} = {command: ''}] = commands.filter(each => each.command.includes('simulate'))
    const run = execa('gms-proxy', command.split(' ').slice(1), {cwd: folder, env, preferLocal: false, reject: false})
    for await (const line of run.iterable()) {
      if (!/http:\/\/127\.0\.0\.1:\d+/.test(line)) continue
      run.kill('SIGINT')
      break
    }
    expect((await run).exitCode).toBe(130)
  })
})
