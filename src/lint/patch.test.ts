import {expect, it} from 'vitest'
import type {ConfigBundle} from '../model/bundle.ts'
import {Lines} from './lines.ts'
import {patchOf} from './patch.ts'

const BODY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ'

it('shows nothing of a key that begins above it', () => {
  const text = `a;\nkey "-----BEGIN PRIVATE KEY-----\n${BODY}\n${BODY}\n${BODY}\n-----END PRIVATE KEY-----";\nlisten 80;\n`
  const bundle: ConfigBundle = {root: '.', main: 'f', files: [{path: 'f', text}]} as unknown as ConfigBundle
  const lines = new Lines(text)
  const start = text.indexOf('listen 80')
  const patch = patchOf(bundle, [{span: {file: 'f', start, end: start + 9, ...lines.at(start)}, text: 'listen 81', why: 'x'}], {
    linesOf: () => lines,
    nameOf: file => file,
  })
  expect(patch).not.toContain(BODY)
  expect(patch).toContain('-listen 80;\n+listen 81;')
})
