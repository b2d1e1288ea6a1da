// Builds dist/: one CommonJS bundle with everything in it (a package without dependencies starts faster and installs anywhere), the
// small file that loads it, the licences of what is inside, and oclif's manifest.
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {build} from 'esbuild'
import {Plugin} from '@oclif/core/config'
import {buildPage} from './page.mjs'
import './templates.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
// Built beside dist/ and put in its place at the end: whoever runs the program meanwhile has the old one, whole.
const dist = join(root, `dist.${process.pid}`)
const require = createRequire(import.meta.url)
process.once('exit', () => rmSync(dist, {recursive: true, force: true}))
mkdirSync(dist)

/** Certificates, and questions on a terminal: few runs need them, and every other start would pay for reading these libraries. */
const APART = {selfsigned: 'selfsigned.cjs', '@clack/prompts': 'prompts.cjs'}

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // Names stay, so that the stack of a bug can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  charset: 'ascii',
  logLevel: 'warning',
}

const {metafile} = await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  outfile: join(dist, 'gms-proxy.cjs'),
  metafile: true,
  // oclif looks for a TypeScript project in development only.
  external: ['typescript'],
  define: {'import.meta.url': 'importMetaUrl'},
  banner: {js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;"},
  plugins: [lean(), apart()],
})
const libraries = await Promise.all(
  Object.entries(APART).map(([name, file]) =>
    build({...common, entryPoints: [name], outfile: join(dist, file), metafile: true, minify: true}),
  ),
)
const page = await buildPage(join(dist, 'page'))
const bundle = readFileSync(join(dist, 'gms-proxy.cjs'))
const hash = createHash('sha256').update(bundle).digest('hex').slice(0, 16)
renameSync(join(dist, 'gms-proxy.cjs'), join(dist, `gms-proxy-${hash}.cjs`))
await build({...common, entryPoints: ['src/cli/start.ts'], outfile: join(dist, 'start.cjs'), define: {BUNDLE_HASH: JSON.stringify(hash)}})

const manifest = JSON.stringify(await manifestOf())
writeLicences()
const before = `${dist}.before`
if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), before)
renameSync(dist, join(root, 'dist'))
rmSync(before, {recursive: true, force: true})
writeFileSync(join(root, 'oclif.manifest.json'), manifest)

/**
 * Leaves out of the bundle what no verb reaches but every start would pay for: zod's complaints in forty languages, the file search with which
 * oclif discovers verbs (ours stand in the manifest) and its debug log.
 */
function lean() {
  const hollow = {
    debug: 'module.exports = () => Object.assign(() => {}, {enabled: false, extend: module.exports})',
    tinyglobby: 'exports.glob = async () => []',
  }
  return {
    name: 'lean',
    setup(context) {
      context.onResolve({filter: /^(debug|tinyglobby)$/}, ({path, importer}) =>
        importer.includes('/@oclif/core/') ? {path, namespace: 'hollow'} : undefined,
      )
      context.onLoad({filter: /.*/, namespace: 'hollow'}, ({path}) => ({contents: hollow[path]}))
      context.onResolve({filter: /^\.\.\/locales\/index\.js$/}, ({importer, resolveDir}) =>
        importer.includes('/zod/') ? {path: join(resolveDir, '../locales/en.js'), namespace: 'english'} : undefined,
      )
      context.onLoad({filter: /.*/, namespace: 'english'}, ({path}) => ({
        contents: `export {default as en} from ${JSON.stringify(path)}`,
        resolveDir: dirname(path),
      }))
    },
  }
}

/**
 * Keeps these libraries in files of their own. They are required: `import()` of code that was compiled from text (`src/cli/code-cache.ts`) makes
 * Node 20 warn the user of an experimental feature.
 */
function apart() {
  return {
    name: 'apart',
    setup(context) {
      context.onResolve({filter: /^(selfsigned|@clack\/prompts)$/}, ({path}) => ({path, namespace: 'apart'}))
      context.onLoad({filter: /.*/, namespace: 'apart'}, ({path}) => ({contents: `module.exports = require('./${APART[path]}')`}))
      context.onResolve({filter: /^\.\//, namespace: 'apart'}, ({path}) => ({path, external: true}))
    },
  }
}

/** What help shows, and how flags are parsed, without loading any verb. */
async function manifestOf() {
  const {VERBS} = require(join(dist, `gms-proxy-${hash}.cjs`))
  const loaded = await Promise.all(Object.entries(VERBS).map(async ([id, load]) => [id, (await load()).default]))
  const commands = Object.fromEntries(loaded)
  class FromBundle extends Plugin {
    getCommandIDs() {
      return Object.keys(commands)
    }
    findCommand(id) {
      return Object.assign(commands[id], {id, plugin: this})
    }
  }
  const plugin = new FromBundle({
    root,
    isRoot: true,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
    pjson: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
  })
  await plugin.load()
  return plugin.manifest
}

/** The bundle carries other people's work: their licences travel with it. */
function writeLicences() {
  const inputs = [metafile, ...libraries.map(({metafile: made}) => made), page].flatMap(made => Object.keys(made.inputs))
  const folders = new Set(inputs.flatMap(input => /(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []))
  const texts = [...folders].sort().map(folder => {
    const {name, version, license} = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find(entry => /^licen[cs]e/i.test(entry))
    const text =
      file && existsSync(join(root, folder, file)) ? readFileSync(join(root, folder, file), 'utf8').trim() : `Licence: ${license}`
    return `${name} ${version}\n${'-'.repeat(`${name} ${version}`.length)}\n${text}\n`
  })
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), `gms-proxy contains these packages.\n\n${texts.join('\n\n')}`)
}

process.stdout.write(`built dist: ${(bundle.length / 1024).toFixed(0)} KiB\n`)
