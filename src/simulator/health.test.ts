import {describe, expect, it} from 'vitest'
import {startGms} from '../../test/support/gms.ts'
import {PollingUser} from '../../test/support/simulator-client.ts'

const API = '/genesys/1/admin/node'

function basic(credentials: string): {authorization: string} {
  return {authorization: `Basic ${Buffer.from(credentials).toString('base64')}`}
}

const ADMIN = {headers: basic('default:password')}

describe('the node API', () => {
  it('tells the status as the page shows', async () => {
    await using gms = await startGms()
    const answer = await fetch(`http://127.0.0.1:${gms.ports[0]}${API}/status`, ADMIN)
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('ONLINE')
    expect(answer.headers.get('content-type')).toBe('text/plain;charset=ISO-8859-1')
    expect(answer.headers.get('content-length')).toBe('6')
    expect(answer.headers.get('cache-control')).toBe('max-age=300')
    expect(Date.parse(answer.headers.get('expires') ?? '')).toBeGreaterThan(Date.now())
    expect(answer.headers.get('set-cookie')).toMatch(/^JSESSIONID=[0-9a-z]{25};Path=\/genesys;HttpOnly$/)
  })

  it.each([
    ['nothing', {}],
    ['other credentials', basic('default:wrong')],
    ['another scheme', {authorization: 'Bearer default:password'}],
    ['no base64', {authorization: 'Basic !'}],
  ])('refuses %s', async (_, headers) => {
    await using gms = await startGms()
    for (const [method, path] of [
      ['GET', `${API}/status`],
      ['POST', `${API}/changestatus/OFFLINE`],
    ] as const) {
      const answer = await fetch(`http://127.0.0.1:${gms.ports[0]}${path}`, {method, headers})
      expect(answer.status).toBe(401)
      expect(await answer.text()).toBe('You need an Authentication header')
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/)
    }
    expect(gms.sim.nodes[0]?.status).toBe('ONLINE')
  })

  it('has the credentials that it is given, or none', async () => {
    await using own = await startGms({adminAuth: {username: 'lb', password: 'pro:be'}})
    expect((await fetch(`http://127.0.0.1:${own.ports[0]}${API}/status`, ADMIN)).status).toBe(401)
    expect((await fetch(`http://127.0.0.1:${own.ports[0]}${API}/status`, {headers: basic('lb:pro:be')})).status).toBe(200)
    await using open = await startGms({adminAuth: false})
    expect((await fetch(`http://127.0.0.1:${open.ports[0]}${API}/status`)).status).toBe(200)
  })

  it('drains one node: it says OFFLINE and serves on, the other stays ONLINE', async () => {
    await using gms = await startGms({nodes: 2})
    const status = async (node: number): Promise<string> => (await fetch(`http://127.0.0.1:${gms.ports[node]}${API}/status`, ADMIN)).text()
    const change = async (to: string, method = 'POST'): Promise<number> =>
      (await fetch(`http://127.0.0.1:${gms.ports[0]}${API}/changestatus/${to}`, {method, ...ADMIN})).status
    const secureKey = await gms.openChat()
    expect(await change('OFFLINE')).toBe(200)
    expect([await status(0), await status(1)]).toEqual(['OFFLINE', 'ONLINE'])
    expect((await gms.ask({operation: 'sendMessage', secureKey, message: 'x'})).statusCode).toBe(0)
    await new PollingUser(gms.ports[0] ?? 0).start()
    expect([await change('offline'), await change('ONLINE', 'GET')]).toEqual([404, 405])
    expect(await change('ONLINE')).toBe(200)
    expect(await status(0)).toBe('ONLINE')
    gms.sim.setStatus('gms2', 'OFFLINE')
    expect(await status(1)).toBe('OFFLINE')
  })
})

describe('a service of type get', () => {
  it('tells the status by its HTTP status, to everybody', async () => {
    await using gms = await startGms({statusServices: ['lb-check']})
    const ask = async (name: string, method = 'GET'): Promise<number> =>
      (await fetch(`http://127.0.0.1:${gms.ports[0]}/genesys/1/service/${name}`, {method})).status
    expect([await ask('lb-check'), await ask('lb-check', 'POST'), await ask('status')]).toEqual([200, 405, 404])
    gms.sim.setStatus('gms1', 'OFFLINE')
    expect(await ask('lb-check')).toBe(503)
  })

  it('is called status by default', async () => {
    await using gms = await startGms()
    expect((await fetch(`http://127.0.0.1:${gms.ports[0]}/genesys/1/service/status`)).status).toBe(200)
  })
})
