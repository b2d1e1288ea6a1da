// Builds the page of `simulate` into a folder: the official CometD library and our script in one file, loaded by nobody but a browser.
import {cpSync, mkdirSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {build} from 'esbuild'

const source = join(dirname(fileURLToPath(import.meta.url)), '../src/desk/page')

/** Returns what went into it, as esbuild's metafile says. */
export async function buildPage(folder) {
  mkdirSync(folder, {recursive: true})
  const {metafile} = await build({
    absWorkingDir: dirname(dirname(dirname(source))),
    entryPoints: {page: join(source, 'main.ts'), style: join(source, 'style.css')},
    outdir: folder,
    bundle: true,
    minify: true,
    metafile: true,
    platform: 'browser',
    format: 'esm',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    legalComments: 'none',
    logLevel: 'warning',
  })
  cpSync(join(source, 'index.html'), join(folder, 'index.html'))
  return metafile
}
