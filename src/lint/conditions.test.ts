import {describe, expect, it} from 'vitest'
import {applyEdits} from '../model/bundle.ts'
import {haproxy} from '../proxies/haproxy/index.ts'
import {sparing} from './conditions.ts'
import {allOf} from './source.ts'

const CHAT = '{ path_beg /genesys/ }'

describe('a line of HAProxy that spares some requests', () => {
  it.each([
    ['http-request deny', `http-request deny unless ${CHAT}`],
    ['http-request deny unless METH_GET', `http-request deny unless METH_GET or ${CHAT}`],
    ['http-request deny if METH_GET !{ src 10.0.0.1 }', `http-request deny if METH_GET !{ src 10.0.0.1 } !${CHAT}`],
    ['http-request deny if a b or c', `http-request deny if a b !${CHAT} or c !${CHAT}`],
    ['http-request deny if a || b', `http-request deny if a !${CHAT} || b !${CHAT}`],
    ['http-request return string "if so" if a', `http-request return string "if so" if a !${CHAT}`],
  ])('%s', (before, after) => {
    const text = (line: string) => `frontend chat\n    bind :80\n    ${line}\n`
    const bundle = {
      proxy: 'haproxy' as const,
      entry: 'haproxy.cfg',
      origin: 'read' as const,
      files: [{path: 'haproxy.cfg', text: text(before)}],
    }
    const [line] = allOf(haproxy.parse(bundle), /^http-request$/)
    const edits = line ? sparing(line, CHAT, 'the chat is spared') : []
    expect(applyEdits(bundle, edits).files[0]?.text).toBe(text(after))
  })
})
