// `npm run new check upload-resumes`, `npm run new rule upload-body-limit-too-small`: one whole folder, with everything it must have.
import {existsSync, mkdirSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {CONCERNS} from '../src/model/catalogue.ts'

const src = join(dirname(fileURLToPath(import.meta.url)), '../src')
const [kind, id = ''] = process.argv.slice(2)
const concern = CONCERNS.find(name => id.startsWith(`${name}-`))
if ((kind !== 'check' && kind !== 'rule') || !concern || !/^[a-z]+(-[a-z0-9.]+)+$/.test(id)) {
  console.error(
    `usage: npm run new check CONCERN-PROMISE, such as upload-resumes\n       npm run new rule CONCERN-DEFECT, such as upload-body-limit-too-small\nconcerns: ${CONCERNS.join(', ')}`,
  )
  process.exit(2)
}

const CHECK = `import type {Check} from '../../check.ts'

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
`

const RULE = `import type {Rule} from '../../rule.ts'

// What must hold, quoted, with its section; what a person sees when it does not.
export const rule: Rule = {
  meta: {
    id: '${id}',
    title: '',
    concern: '${concern}',
    severity: 'error',
    requirement: '',
    remediation: {nginx: '', apache: '', haproxy: ''},
    references: [],
    breaks: [],
    mayBreak: [],
  },
  inspect({site, promises}) {
    return []
  },
}
`

const folder = join(src, kind === 'check' ? 'verify/checks' : 'lint/rules', id)
if (existsSync(folder)) {
  console.error(`${id} exists already`)
  process.exit(2)
}
mkdirSync(folder)
writeFileSync(join(folder, `${kind}.ts`), kind === 'check' ? CHECK : RULE)
console.log(`written ${folder}/${kind}.ts`)
console.log(
  kind === 'check'
    ? 'next: write it, add a broken.<proxy> configuration that it fails on, then npm run catalogue'
    : 'next: write it, add fires.<proxy> and silent.<proxy> configurations for every proxy that has a remediation, then npm run catalogue and vitest run test/rules.test.ts',
)
