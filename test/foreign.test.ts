import {describe, expect, it} from 'vitest'
import {RULES} from '../src/lint/rules/index.ts'
import {chatNodes} from '../src/proxies/of-chat.ts'
import {PROXIES} from '../src/proxies/index.ts'
import {prepare} from '../src/verify/subject.ts'
import {foreignFolders, readForeign} from './support/foreign-files.ts'
import {findingsIn, MEASURED, told} from './support/rule-files.ts'

const folders = foreignFolders()

describe('configurations that others might have written, and that are right', () => {
  it('are many, of each proxy', () => {
    const count = (proxy: string) => folders.filter(folder => folder.proxy === proxy).length
    expect(count('nginx')).toBeGreaterThanOrEqual(16)
    expect(count('apache')).toBeGreaterThanOrEqual(14)
    expect(count('haproxy')).toBeGreaterThanOrEqual(14)
  })

  it.each(folders.map(folder => [folder.name, folder] as const))('%s', async (_, folder) => {
    const subject = await readForeign(folder)
    expect(subject.proxy.name, 'the dialect').toBe(folder.proxy)
    const {promises} = prepare(subject, {version: MEASURED[folder.proxy]})
    const found = findingsIn(subject.bundle, RULES, {promises})
    // Nothing is found in a file of which nothing is understood, either.
    const site = PROXIES[folder.proxy].site?.(subject.proxy.parse(subject.bundle), MEASURED[folder.proxy])
    expect(site && chatNodes(site), 'where chats go').toBeDefined()
    expect(told(found.filter(({severity}) => severity !== 'note'))).toEqual([])
  })
})
