import {readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {projectRoot} from './cli.ts'

/** Builds dist/ when a source is newer than it (vitest's globalSetup). */
export default async function build(): Promise<void> {
  const built = modified(join(projectRoot, 'dist/start.cjs'))
  const sources = ['src', 'templates', 'bin'].flatMap(folder =>
    readdirSync(join(projectRoot, folder), {recursive: true, withFileTypes: true})
      .filter(entry => entry.isFile() && !/\.(test\.ts|md|generated\.ts)$/.test(entry.name))
      .map(entry => join(entry.parentPath, entry.name)),
  )
  const newest = Math.max(...[...sources, join(projectRoot, 'package.json')].map(modified))
  if (built < newest)
    await execa(process.execPath, [join(projectRoot, 'bin/build.mjs')], {cwd: projectRoot, stdout: 'ignore', stderr: 'inherit'})
}

function modified(file: string): number {
  return statSync(file, {throwIfNoEntry: false})?.mtimeMs ?? 0
}
