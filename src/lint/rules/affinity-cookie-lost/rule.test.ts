import {describe, expect, it} from 'vitest'
import {flawsOf} from './attributes.ts'

const plain = {encrypted: false, host: 'chat.example.com'}
const encrypted = {...plain, encrypted: true}
const flaws = (text: string, listener = plain) => flawsOf(text, listener).map(({flaw}) => flaw.split(' ')[0])

describe('what browsers do with a cookie', () => {
  it.each([
    ['GMS_NODE=a; Path=/; HttpOnly', plain],
    ['GMS_NODE=a; path=/genesys; Max-Age=86400', plain],
    ['GMS_NODE=a; Path=/; Domain=.example.com', plain],
    ['GMS_NODE=a; Path=/; Secure; SameSite=None; Partitioned', encrypted],
    ['GMS_NODE=a; Path=/; SameSite=None$gms_secure', plain],
    ['cookie GMS_NODE insert indirect nocache httponly secure attr "SameSite=None"', encrypted],
    ['cookie GMS_NODE insert indirect nocache domain chat.example.com', plain],
    ['cookie GMS_NODE insert maxidle 4h maxlife 86400', plain],
    ['GMS_NODE=a; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=86400', plain],
    ['GMS_NODE=a; Path=/; Expires=$until', plain],
  ])('keeps %s', (text, listener) => {
    expect(flawsOf(text, listener)).toEqual([])
  })

  it('says what keeps it from pages of other sites, where they were promised a chat', () => {
    const promised = {httpOnly: true, partitioned: true, sameSite: 'none'} as const
    const flaw = (text: string) => flawsOf(text, {...encrypted, promised}).map(({right}) => right)
    expect(flaw('GMS_NODE=a; Path=/; Secure; SameSite=None; Partitioned')).toEqual([])
    expect(flaw('GMS_NODE=a; Path=/; Secure; SameSite=Lax')).toEqual(['; SameSite=None', '; Partitioned'])
    expect(flaw('cookie GMS_NODE insert secure attr "SameSite=None"')).toEqual(['; Partitioned'])
    expect(flawsOf('GMS_NODE=a; Path=/', {...plain, promised})).toEqual([])
  })

  it('says why it drops one, or does not send it back', () => {
    expect(flaws('GMS_NODE=a; Path=/; Secure')).toEqual(['Secure'])
    expect(flaws('GMS_NODE=a; Path=/; SameSite=None')).toEqual(['SameSite=None'])
    expect(flaws('GMS_NODE=a; Path=/; Partitioned', encrypted)).toEqual(['Partitioned'])
    expect(flaws('GMS_NODE=a; Path=/genesys/cometd')).toEqual(['Path=/genesys/cometd'])
    expect(flaws('GMS_NODE=a; Path=/; Max-Age=60')).toEqual(['Max-Age=60'])
    expect(flaws('GMS_NODE=a; Path=/; Domain=example.org')).toEqual(['Domain=example.org'])
    expect(flaws('GMS_NODE=a; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT')).toEqual(['Expires'])
    expect(flaws('cookie GMS_NODE insert indirect maxidle 10s')).toEqual(['maxidle'])
    expect(flaws('cookie GMS_NODE insert indirect maxidle 600000ms maxlife 60')).toEqual(['maxidle', 'maxlife'])
    expect(flaws('cookie GMS_NODE insert indirect secure')).toEqual(['Secure'])
    expect(flaws('cookie GMS_NODE insert domain .example.org')).toEqual(['Domain=example.org'])
    expect(flaws('cookie GMS_NODE insert attr "SameSite=None"')).toEqual(['SameSite=None'])
  })
})
