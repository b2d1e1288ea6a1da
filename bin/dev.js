#!/usr/bin/env node
// The program from its sources, with source maps: nothing is built but the templates.
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {register} from 'tsx/esm/api'
import {buildPage} from './page.mjs'
import './templates.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
if (process.argv[2] === 'simulate') await buildPage(join(root, 'dist/page'))
process.setSourceMapsEnabled(true)
register()
const {main} = await import('../src/cli/main.ts')
await main(process.argv.slice(2), root, {development: true})
