import {describe, expect, it} from 'vitest'
import {answeredBy, recognise} from './fingerprint.ts'

/** Pages as the three proxies and Jetty wrote them, on the versions named. */
const PAGES = {
  'nginx 1.22.1':
    '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n',
  'Apache 2.4.68':
    '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>502 Proxy Error</title>\n</head><body>\n<h1>Proxy Error</h1>\n<p>The proxy server received an invalid\r\nresponse from an upstream server.<br />\r\n</p>\n<hr>\n<address>Apache/2.4.68 (Debian) Server at chat.example.com Port 80</address>\n</body></html>\n',
  'Apache 2.4.71':
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">\n<html><head>\n<title>503 Service Unavailable</title>\n</head><body>\n<h1>Service Unavailable</h1>\n</body></html>\n',
  'HAProxy 2.6.12': '<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n',
  'Jetty 9.4':
    '<html>\n<head>\n<title>Error 400 Unknown Bayeux Transport</title>\n</head>\n<body><h2>HTTP ERROR 400 Unknown Bayeux Transport</h2>\n<table>\n<tr><th>URI:</th><td>/genesys/cometd</td></tr>\n</table>\n<hr/><a href="https://jetty.org/">Powered by Jetty:// 9.4.57.v20241219</a><hr/>\n</body>\n</html>\n',
}
const BAYEUX = '[{"minimumVersion":"1.0","clientId":"x","channel":"/meta/handshake","successful":true}]'

describe('who wrote an answer', () => {
  it.each([
    {page: 'nginx 1.22.1', server: 'nginx/1.22.1', who: 'nginx', confidence: 'certain', version: '1.22.1'},
    {page: 'Apache 2.4.68', server: 'Apache', who: 'apache', confidence: 'certain', version: '2.4.68'},
    {page: 'Apache 2.4.71', server: 'Apache/2.4.71 (Debian)', who: 'apache', confidence: 'certain', version: '2.4.71'},
    {page: 'HAProxy 2.6.12', server: '', who: 'haproxy', confidence: 'certain', version: undefined},
    {page: 'Jetty 9.4', server: 'nginx/1.22.1', who: 'gms', confidence: 'certain', version: '9.4.57.v20241219'},
  ] as const)('$page', ({page, server, who, confidence, version}) => {
    const seen = answeredBy({status: 503, headers: server === '' ? {} : {server: [server]}, body: PAGES[page]})
    expect(seen).toMatchObject({who, confidence})
    expect(seen.version).toBe(version)
  })

  it('is GMS for a Bayeux answer, whatever name a proxy writes over it', () => {
    expect(answeredBy({status: 200, headers: {server: ['nginx']}, body: BAYEUX})).toMatchObject({who: 'gms', confidence: 'certain'})
    expect(answeredBy({status: 200, headers: {}, body: `/**/callback(${BAYEUX})`})).toMatchObject({who: 'gms', confidence: 'certain'})
  })

  it('is not known by a shape alone: a page of Apache without its name is only likely', () => {
    expect(answeredBy({status: 503, headers: {}, body: PAGES['Apache 2.4.71']})).toMatchObject({who: 'apache', confidence: 'likely'})
  })

  it('is not known by a name alone: proxies write theirs over that of GMS', () => {
    expect(answeredBy({status: 404, headers: {server: ['nginx']}, body: 'no'})).toMatchObject({who: 'nginx', confidence: 'possible'})
  })

  it('is nobody for a page of somebody else that quotes a proxy', () => {
    const page = '<html><body><p>We run nginx/1.22.1 and HTTP ERROR 400 is what you get</p></body></html>'
    expect(answeredBy({status: 200, headers: {}, body: page})).toMatchObject({who: 'unknown'})
    expect(answeredBy({status: 200, headers: {server: ['cloud']}, body: page})).toMatchObject({who: 'another', confidence: 'possible'})
  })
})

describe('who stands in front', () => {
  it('is certain by a page, and its version may come from another answer', () => {
    const page = PAGES['Apache 2.4.71']
    expect(recognise([{status: 503, headers: {server: ['Apache/2.4.71 (Debian)']}, body: page}])).toMatchObject({
      proxy: 'apache',
      confidence: 'certain',
      version: '2.4.71',
    })
  })

  it('is only possibly HAProxy by lower case alone', () => {
    const headers = {server: ['Jetty(9.4.57.v20241219)'], date: [''], 'content-type': ['']}
    expect(recognise([{status: 200, headers, headerNames: ['date', 'content-type', 'server'], body: BAYEUX}])).toMatchObject({
      proxy: 'haproxy',
      confidence: 'possible',
    })
  })

  it('is nobody for GMS itself', () => {
    const headers = {server: ['Jetty(9.4.57.v20241219)'], date: [''], 'content-type': ['']}
    expect(recognise([{status: 200, headers, headerNames: ['Date', 'Content-Type', 'Server'], body: BAYEUX}])).toBeUndefined()
  })

  it('is not for sure who it is where two give their names', () => {
    const two = [
      {status: 502, headers: {}, body: PAGES['nginx 1.22.1']},
      {status: 503, headers: {}, body: PAGES['HAProxy 2.6.12']},
    ]
    expect(recognise(two)?.confidence).toBe('possible')
  })
})
