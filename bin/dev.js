#!/usr/bin/env node
// The program from its sources, with source maps: nothing is built but the templates.
import {dirname} from 'node:path'
import {fileURLToPath} from 'node:url'
import {register} from 'tsx/esm/api'
import './templates.mjs'

process.setSourceMapsEnabled(true)
register()
const {main} = await import('../src/cli/main.ts')
await main(process.argv.slice(2), dirname(dirname(fileURLToPath(import.meta.url))), {development: true})
