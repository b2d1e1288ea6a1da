// `npm run new check upload-resumes`: one whole folder, with everything a check must have.
import {existsSync, mkdirSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {CONCERNS} from '../src/model/catalogue.ts'

const [kind, id = ''] = process.argv.slice(2)
const concern = CONCERNS.find(name => id.startsWith(`${name}-`))
if (kind !== 'check' || !concern || !/^[a-z]+(-[a-z0-9]+)+$/.test(id)) {
  console.error(`usage: npm run new check CONCERN-PROPERTY, such as upload-resumes\nconcerns: ${CONCERNS.join(', ')}`)
  process.exit(2)
}
const folder = join(dirname(fileURLToPath(import.meta.url)), '../src/verify/checks', id)
if (existsSync(folder)) {
  console.error(`${id} exists already`)
  process.exit(2)
}
mkdirSync(folder)
writeFileSync(
  join(folder, 'check.ts'),
  `import type {Check} from '../../check.ts'

// What must hold, quoted, with its section; what a person sees when it does not.
export const check: Check = {
  meta: {
    id: '${id}',
    title: '',
    concern: '${concern}',
    severity: 'error',
    requirement: '',
    remediation: {nginx: '', apache: '', haproxy: ''},
    directives: {nginx: [], apache: [], haproxy: []},
    references: [],
  },
  needs: ['evidence'],
  isolation: 'shared',
  budgetMs: () => 30_000,
  async run() {
    return {status: 'errored', because: 'not written yet'}
  },
}
`,
)
console.log(`written ${folder}/check.ts\nnext: write it, add a broken.<proxy> configuration that it fails on, then npm run catalogue`)
