import {describe, expect, it} from 'vitest'
import {telltaleLines} from './proxy-log.ts'

const HAPROXY =
  'x [t] main bk/s1 0/0/0/-1/25000 504 198 - - sH-- 2/2/1/1/0 0/0 "POST /genesys/cometd/connect HTTP/1.1"\n' +
  'x [t] main bk/s1 0/0/0/5/5 404 640 - - ---- 2/2/1/1/0 0/0 "GET /other HTTP/1.1"\n'
const NGINX =
  '2026/11/22 18:27:13 [error] 22#22: *61 client intended to send too large body: 10486250 bytes\n2026/11/22 18:27:13 [warn] 22#22: *78 buffered\n'

describe('lines of the log that explain a failure', () => {
  it('are those of the status that the client was answered', () => {
    const lines = telltaleLines(
      {access: HAPROXY, error: ''},
      {client: ['POST /genesys/cometd/connect → 504 in 25.0 s: <html>'], upstream: []},
    )
    expect(lines).toEqual([expect.stringContaining('sH--')])
  })

  it('are the proxy’s own words', () => {
    const lines = telltaleLines({access: '', error: NGINX}, {client: ['POST /genesys/2/chat-ntf → 413 in 24 ms: too large'], upstream: []})
    expect(lines).toEqual([expect.stringContaining('too large body')])
  })

  it('are none where every answer was good', () => {
    expect(
      telltaleLines({access: HAPROXY, error: NGINX}, {client: ['POST /genesys/cometd/handshake → 200 in 4 ms'], upstream: []}),
    ).toEqual([])
  })

  it('are none where GMS said no itself', () => {
    const upstream = ['gms1 received GET /genesys/cometd over HTTP/1.1, answered 400 after 1 ms']
    expect(telltaleLines({access: HAPROXY, error: NGINX}, {client: ['GET /genesys/cometd → 400 in 4 ms: Unknown'], upstream})).toEqual([])
  })

  it('are looked for where no answer came at all', () => {
    expect(
      telltaleLines({access: '', error: NGINX}, {client: ['upgrade /genesys/cometd → in 2 ms: ECONNRESET'], upstream: []}),
    ).toHaveLength(1)
  })
})
