import {readFileSync} from 'node:fs'
import ts from 'typescript'
import {expect, it} from 'vitest'
import {OPTION_NAMES} from '../src/cli/simulator-options.ts'
import Simulate from '../src/commands/simulate.ts'

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
}

/** Names that an interface declares by itself. */
function membersOf(path: string, name: string): string[] {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest)
  const declared = source.statements.filter(ts.isInterfaceDeclaration).find(statement => statement.name.text === name)
  return (declared?.members ?? []).flatMap(member => (member.name && ts.isIdentifier(member.name) ? [member.name.text] : []))
}

const OPTIONS = [
  ...membersOf('src/simulator/simulator.ts', 'SimulatorOptions'),
  ...membersOf('src/simulator/chat-options.ts', 'ChatOptions'),
]
const page = read('SIMULATOR.md')
/** The tables of options: name, default, what the sources say, flag. */
const ROWS = page
  .split('\n\n')
  .filter(table => table.startsWith('| option '))
  .flatMap(table => table.split('\n'))
  .filter(line => line.startsWith('| `'))
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, name = '', fallback = '', sources = '', flag = '']) => ({name: name.replaceAll('`', ''), fallback, sources, flag}))

it('SIMULATOR.md lists every option of the simulator, once, and no other', () => {
  expect(OPTIONS.length).toBeGreaterThan(25)
  expect(ROWS.map(({name}) => name).sort()).toEqual([...OPTIONS].sort())
})

it.each(ROWS)('SIMULATOR.md says the default of $name, what the sources say, and the flag', ({name, fallback, sources, flag}) => {
  expect(fallback).not.toBe('')
  expect(flag).not.toBe('')
  if (name !== 'nodes' && name !== 'host') expect(sources).not.toBe('')
})

it('SIMULATOR.md names the flags that simulate has, and every name of --option', () => {
  const flags = ROWS.flatMap(({flag}) => [...flag.matchAll(/--([a-z-]+)/g)].map(([, name = '']) => name))
  expect(flags.filter(name => !(name in Simulate.flags))).toEqual([])
  const names = ROWS.flatMap(({flag}) => [...flag.matchAll(/--option ([a-z-]+)=/g)].map(([, name = '']) => name))
  expect(names.sort()).toEqual([...OPTION_NAMES].sort())
})
