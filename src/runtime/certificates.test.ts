import {X509Certificate} from 'node:crypto'
import {createSecureContext} from 'node:tls'
import {describe, expect, test} from 'vitest'
import {makeAuthority, selfSigned, throwAwayAuthority} from './certificates.ts'

describe.each(['ec', 'rsa'] as const)('an authority (%s)', keyType => {
  test('issues leaves that it has signed, for the names that a certificate can hold', async () => {
    const authority = await makeAuthority('test', keyType)
    const {certificate, key} = await authority.issue([
      'chat.example.com',
      '*.example.org',
      '10.0.0.1',
      '::1',
      'not a name',
      'ümlaut.example',
      '',
      '0.0.0.0',
    ])
    const [leaf, issuer] = [new X509Certificate(certificate), new X509Certificate(authority.certificate)]
    expect(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)).toBe(true)
    expect({leaf: leaf.ca, issuer: issuer.ca}).toEqual({leaf: false, issuer: true})
    for (const name of ['chat.example.com', 'www.example.org']) expect(leaf.checkHost(name), name).toBeDefined()
    for (const address of ['10.0.0.1', '::1']) expect(leaf.checkIP(address), address).toBeDefined()
    expect(leaf.subjectAltName).not.toMatch(/not a name|ümlaut|0\.0\.0\.0/)
    expect(leaf.publicKey.asymmetricKeyType).toBe(keyType)
    expect(() => createSecureContext({cert: certificate, key})).not.toThrow()
  })
})

test('one authority for the runs of this process, of each kind', async () => {
  expect(await throwAwayAuthority()).toBe(await throwAwayAuthority('ec'))
  expect((await throwAwayAuthority('rsa')).certificate).not.toBe((await throwAwayAuthority('ec')).certificate)
})

test('a certificate that is its own authority', async () => {
  const {certificate} = await selfSigned('test', ['localhost'])
  const made = new X509Certificate(certificate)
  expect(made.checkIssued(made) && made.ca).toBe(true)
})
