import {kill} from 'node:process'
import {expect, it} from 'vitest'
import {runCommand} from './command.ts'
import {startTime} from './owner.ts'
import {askUntil} from './patience.ts'

/** Prints the pid of a child that holds the output open, as a wrapper around a proxy would. */
const WRAPPER = ['sh', '-c', 'sleep 600 & echo $!; wait'] as const

const isGone = (pid: number) => askUntil(() => (startTime(pid) === undefined ? true : undefined), {budgetMs: 5000})

it('gives what a command wrote, and how it ended', async () => {
  const {exit, stdout, stderr, timedOut} = await runCommand(['sh', '-c', 'echo out; echo err >&2; exit 3'], {timeoutMs: 10_000})
  expect({exit, stdout, stderr, timedOut}).toEqual({exit: {code: 3}, stdout: 'out', stderr: 'err', timedOut: false})
})

it('says why a command cannot be started', async () => {
  expect((await runCommand(['/no/such/program'], {timeoutMs: 10_000})).exit.because).toContain('ENOENT')
})

it('ends what hangs together with its children', async () => {
  const {timedOut, stdout} = await runCommand(WRAPPER, {timeoutMs: 300})
  expect(timedOut).toBe(true)
  expect(await isGone(Number(stdout))).toBe(true)
})

it('ends it at once when it is interrupted', async () => {
  const interruption = new AbortController()
  const running = runCommand(WRAPPER, {timeoutMs: 60_000, signal: interruption.signal})
  interruption.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
})

it('does not wait for a child that left the group and holds the output open', async () => {
  const {timedOut, stdout} = await runCommand(['sh', '-c', 'setsid sleep 600 & echo $!; wait'], {timeoutMs: 300})
  expect(timedOut).toBe(true)
  kill(Number(stdout), 'SIGKILL')
})
