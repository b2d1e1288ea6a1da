import {expect, it} from 'vitest'
import {plainRequest} from '../../src/flows/plain-request.ts'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {renderedStage} from '../support/rendered-stage.ts'

// A redirect that repeats whatever Host a client sends leads customers to a place of somebody else's choice (CWE-601).
it.each(PROXY_NAMES)('%s redirects to the names of the deployment alone', {timeout: 60_000}, async proxy => {
  await using set = await renderedStage(PROXIES[proxy], {fixture: 'tls'})
  const {stage} = set
  const plain = stage.configuration?.listeners.find(({url}) => url.protocol === 'http:')
  if (!plain) throw new Error('there is no plain listener')
  const {serverName: _, trust: __, ...users} = stage.target
  const locationFor = async (host: string) => {
    const seen = await stage.flow(plainRequest, {target: '/help?a=b', headers: [['Host', host]]}, {...users, url: plain.url})
    return seen.headers['location'] ?? seen.status
  }
  const port = stage.configuration?.listeners.find(({url}) => url.protocol === 'https:')?.url.port ?? ''
  const own = (host: string) =>
    expect.stringMatching(new RegExp(`^https://${host.replaceAll('.', '\\.')}(:(443|${port}))?/help\\?a=b$`)) as string
  expect(await locationFor('support.example.com')).toEqual(own('support.example.com'))
  expect(await locationFor('Chat.Example.com:80')).toEqual(expect.stringMatching(/^https:\/\/chat\.example\.com/i))
  for (const stranger of ['evil.example', 'chat.example.com.evil.example', 'chat-example.com', 'evil.example:80'])
    expect([stranger, await locationFor(stranger)]).toEqual([
      stranger,
      // HAProxy has no host that answers for strangers.
      proxy === 'haproxy' ? 404 : own('chat.example.com'),
    ])
})
