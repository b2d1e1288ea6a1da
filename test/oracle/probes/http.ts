import {CHANNEL, PATH, request, type Probe, type Stage} from '../probe.ts'

const HANDSHAKE = JSON.stringify([{channel: '/meta/handshake', version: '1.0', supportedConnectionTypes: ['long-polling'], id: '1'}])
const JSON_TYPE = 'Content-Type: application/json'
const jsonp = (query: string, headers: readonly string[] = []) => request(`GET ${PATH}?${query}`, headers)
const message = `message=${encodeURIComponent(HANDSHAKE)}`

function ask(name: string, bytes: string | Buffer, options?: Parameters<Stage['ask']>[1]): Probe {
  return {name, run: stage => stage.ask(bytes, options)}
}

const post = (body: string | Buffer, headers: readonly string[] = [JSON_TYPE], path = PATH) => request(`POST ${path}`, headers, body)

/** Methods, paths and bodies that reach CometD's servlet. */
const SERVLET: readonly Probe[] = [
  ...['', '/', '/handshake', '/connect', '/anything/else', '?a=b', ';jsessionid=1', '/../cometd', '//'].map(path =>
    ask(`handshake on ${PATH}${path}`, post(HANDSHAKE, undefined, PATH + path)),
  ),
  ...['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND', 'get', 'post'].map(method =>
    ask(`${method} without a body`, request(`${method} ${PATH}`)),
  ),
  ask('HEAD', request(`HEAD ${PATH}`), {head: true}),
  ask(
    'OPTIONS as a browser asks before',
    request(`OPTIONS ${PATH}/handshake`, ['Origin: https://shop.example', 'Access-Control-Request-Method: POST']),
  ),
  ...[
    'application/json;charset=UTF-8',
    'text/plain',
    'application/json; charset=ISO-8859-1',
    'application/x-www-form-urlencoded',
    'text/json;charset=klingon',
  ].map(type => ask(`handshake as ${type}`, post(HANDSHAKE, [`Content-Type: ${type}`]))),
  ask('handshake without content type', post(HANDSHAKE, [])),
  ask('handshake from another origin', post(HANDSHAKE, [JSON_TYPE, 'Origin: https://shop.example'])),
  ask('handshake in an encoded form', post(message, ['Content-Type: application/x-www-form-urlencoded'])),
  ...Object.entries({
    nothing: '',
    garbage: 'garbage',
    'an empty list': '[]',
    'an empty object': '{}',
    'an object alone': HANDSHAKE.slice(1, -1),
    'a number': '1',
    text: '"a"',
    null: 'null',
    'a list of null': '[null]',
    'a list of numbers': '[1,2]',
    'a list in a list': `[${HANDSHAKE}]`,
    'unfinished JSON': HANDSHAKE.slice(0, -2),
    'JSON and more': `${HANDSHAKE}garbage`,
    'JSON with spaces around': `  ${HANDSHAKE}\n `,
    'JSON with a comment': `/* hello */${HANDSHAKE}`,
    'JSON with a comma too many': HANDSHAKE.replace(']}]', ']},]'),
    'a byte order mark': `\ufeff${HANDSHAKE}`,
    'a key twice': HANDSHAKE.replace('"id":"1"', '"id":"1","id":"2"'),
    'a control character in text': HANDSHAKE.replace('"1"', '"a\tb"'),
    'an unknown escape': HANDSHAKE.replace('"1"', '"a\\qb"'),
    'an id with quotes and newline': HANDSHAKE.replace('"1"', '"\\"\\n/\\u00e4"'),
  }).map(([name, body]) => ask(`POST of ${name}`, post(body))),
  ask('POST of invalid UTF-8', post(Buffer.concat([Buffer.from(HANDSHAKE.slice(0, -3)), Buffer.from([0xff, 0xfe]), Buffer.from('"}]')]))),
  ask('POST nested in 300 lists', post(HANDSHAKE.replace('"1"', `"1","ext":{"a":${'['.repeat(300)}${']'.repeat(300)}}`))),
  ask('POST nested in 60 objects', post(HANDSHAKE.replace('"1"', `"1","ext":${'{"a":'.repeat(60)}1${'}'.repeat(60)}`))),
  ask('POST of 200 kB', post(HANDSHAKE.replace('"1"', `"1","ext":{"a":"${'x'.repeat(200_000)}"}`)), {ms: 15_000}),
]

/** What is about HTTP itself, on the CometD path. */
const PROTOCOL: readonly Probe[] = [
  ask('handshake in chunks', `POST ${PATH} HTTP/1.1\r\nHost: gms\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(HANDSHAKE)}`),
  ask(
    'chunks with extension and trailer',
    `POST ${PATH} HTTP/1.1\r\nHost: gms\r\nTransfer-Encoding: chunked\r\n\r\n${HANDSHAKE.length.toString(16)};a=b\r\n${HANDSHAKE}\r\n0\r\nX: y\r\n\r\n`,
  ),
  ask('a chunk of no size', `POST ${PATH} HTTP/1.1\r\nHost: gms\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n${HANDSHAKE}\r\n0\r\n\r\n`),
  ask(
    'chunks and a length',
    `POST ${PATH} HTTP/1.1\r\nHost: gms\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${chunks(HANDSHAKE)}`,
  ),
  ask('two lengths that agree', post(HANDSHAKE, [JSON_TYPE, `Content-Length: ${HANDSHAKE.length}`])),
  ask('two lengths that differ', post(HANDSHAKE, [JSON_TYPE, 'Content-Length: 3'])),
  ask('a length of words', `POST ${PATH} HTTP/1.1\r\nHost: gms\r\nContent-Length: ten\r\n\r\n${HANDSHAKE}`),
  ask('a negative length', `POST ${PATH} HTTP/1.1\r\nHost: gms\r\nContent-Length: -1\r\n\r\n${HANDSHAKE}`),
  ask('transfer encoding gzip', `POST ${PATH} HTTP/1.1\r\nHost: gms\r\nTransfer-Encoding: gzip\r\n\r\n`),
  ask('expect 100-continue', post(HANDSHAKE, [JSON_TYPE, 'Expect: 100-continue']), {answers: 2}),
  {
    name: 'expect 100-continue and send the body only then',
    async run(stage) {
      const connection = await stage.open()
      connection.send(`POST ${PATH} HTTP/1.1\r\nHost: gms\r\nExpect: 100-continue\r\nContent-Length: ${HANDSHAKE.length}\r\n\r\n`)
      const interim = stage.normaliser.answer(await connection.answer())
      connection.send(HANDSHAKE)
      return [interim, stage.normaliser.answer(await connection.answer())]
    },
  },
  ask('expect something else', post(HANDSHAKE, [JSON_TYPE, 'Expect: 200-ok'])),
  ask('two requests in one write', Buffer.concat([post(HANDSHAKE), post(HANDSHAKE)]), {answers: 2}),
  ask('handshake with Connection: close', post(HANDSHAKE, [JSON_TYPE, 'Connection: close'])),
  ask('handshake over HTTP/1.0', `POST ${PATH} HTTP/1.0\r\nContent-Length: ${HANDSHAKE.length}\r\n\r\n${HANDSHAKE}`),
  ask(
    'handshake over HTTP/1.0 kept alive',
    `POST ${PATH} HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: ${HANDSHAKE.length}\r\n\r\n${HANDSHAKE}`,
  ),
  ask('garbage over HTTP/1.0', `POST ${PATH} HTTP/1.0\r\nContent-Length: 1\r\n\r\nx`),
  ask('GET over HTTP/1.0', `GET ${PATH} HTTP/1.0\r\n\r\n`),
  ask('HTTP/1.1 without Host', `GET ${PATH} HTTP/1.1\r\n\r\n`),
  ask('two Hosts', `GET ${PATH} HTTP/1.1\r\nHost: gms\r\nHost: other\r\n\r\n`),
  ask('an empty Host', `GET ${PATH} HTTP/1.1\r\nHost:\r\n\r\n`),
  ask('a Host with a port', `GET ${PATH} HTTP/1.1\r\nHost: gms:8080\r\n\r\n`),
  ask('a Host with a bad port', `GET ${PATH} HTTP/1.1\r\nHost: gms:eighty\r\n\r\n`),
  ask('HTTP/0.9', `GET ${PATH}\r\n\r\n`),
  ask('HTTP/1.2', `GET ${PATH} HTTP/1.2\r\nHost: gms\r\n\r\n`),
  ask('HTTP/3.0', `GET ${PATH} HTTP/3.0\r\nHost: gms\r\n\r\n`),
  ask('no HTTP at all', 'hello\r\n\r\n'),
  ask('an absolute target', `GET http://gms${PATH} HTTP/1.1\r\nHost: gms\r\n\r\n`),
  ask('asterisk', 'OPTIONS * HTTP/1.1\r\nHost: gms\r\n\r\n'),
  ask('CONNECT', 'CONNECT gms:443 HTTP/1.1\r\nHost: gms\r\n\r\n'),
  ask('line ends without CR', `GET ${PATH} HTTP/1.1\nHost: gms\n\n`),
  ask('an empty line before', `\r\nGET ${PATH} HTTP/1.1\r\nHost: gms\r\n\r\n`),
  ask('a header without colon', request(`GET ${PATH}`, ['Nonsense'])),
  ask('a header with a space in its name', request(`GET ${PATH}`, ['Non sense: 1'])),
  ask('a header with a space before its colon', request(`GET ${PATH}`, ['Nonsense : 1'])),
  ask('a header without name', request(`GET ${PATH}`, [': 1'])),
  ask('a header that is folded', request(`GET ${PATH}`, ['A: 1', ' 2'])),
  ask('a header with NUL', request(`GET ${PATH}`, ['A: 1\u00002'])),
  ask('a request line of 8 kB', request(`GET ${PATH}?pad=${'x'.repeat(8192)}`)),
  ask('a request line just within limits', request(`GET ${PATH}?pad=${'x'.repeat(7900)}`)),
  ask('a header of 8 kB', request(`GET ${PATH}`, [`Pad: ${'x'.repeat(8192)}`])),
  ask('headers just within limits', request(`GET ${PATH}`, [`Pad: ${'x'.repeat(8000)}`])),
  ask(
    'many headers',
    request(
      `GET ${PATH}`,
      Array.from({length: 150}, (_, index) => `H${index}: ${'x'.repeat(20)}`),
    ),
  ),
  ask('a path with an escaped slash', request('GET /genesys%2Fcometd')),
  ask('a path with an escaped letter', request('GET /genesys/%63ometd')),
  ask('a path with a bad escape', request('GET /genesys/%zzcometd')),
  ask('a path with dots', request('GET /genesys/x/../cometd')),
  ask('a path out of the root', request('GET /../genesys/cometd')),
  ask('a path with markup', request('GET /genesys/cometd/<b>"&\'')),
  ask('a path with a fragment', request(`GET ${PATH}#a`)),
  ask('a path of another application', request('GET /elsewhere')),
  ask('a path of nothing in this application', request('GET /genesys/elsewhere')),
  ask('the root', request('GET /')),
  ask('a path that begins alike', request('GET /genesys/cometdx')),
  ask('the application itself', request('GET /genesys')),
]

function chunks(text: string): string {
  const half = Math.floor(text.length / 2)
  return [text.slice(0, half), text.slice(half)].map(part => `${part.length.toString(16)}\r\n${part}\r\n`).join('') + '0\r\n\r\n'
}

/** Callback-polling, one request at a time. */
const JSONP: readonly Probe[] = [
  ...Object.entries({
    'as the official client names it': '_cometd_jsonp_0',
    'with all that is allowed': 'a.B-9_',
    'of 64 characters': 'x'.repeat(64),
    'of 65 characters': 'x'.repeat(65),
    'of no characters': '',
    'with brackets': 'a[0]',
    'with markup': encodeURIComponent('<script>'),
    'with a line end': 'a%0A',
  }).map(([name, callback]) => ask(`callback ${name}`, jsonp(`jsonp=${callback}&${message}`))),
  ask('two callbacks', jsonp(`jsonp=a&jsonp=b&${message}`)),
  ask('callback without message', jsonp('jsonp=cb')),
  ask('callback with an empty message', jsonp('jsonp=cb&message=')),
  ask('callback with garbage', jsonp('jsonp=cb&message=garbage')),
  ask('callback with an empty list', jsonp('jsonp=cb&message=%5B%5D')),
  ask('callback with an object alone', jsonp(`jsonp=cb&message=${encodeURIComponent(HANDSHAKE.slice(1, -1))}`)),
  ask('callback with plus signs for spaces', jsonp(`jsonp=cb&message=${encodeURIComponent(HANDSHAKE).replace('%22%2C', '%22+%2C+')}`)),
  ask(
    'callback with two messages',
    jsonp(`jsonp=cb&message=${encodeURIComponent(publish('1'))}&message=${encodeURIComponent(publish('2'))}`),
  ),
  ask('callback with a bad escape', jsonp('jsonp=cb&message=%zz')),
  ask('callback over POST', post(HANDSHAKE, [JSON_TYPE], `${PATH}?jsonp=cb`)),
  ask('callback by HEAD', request(`HEAD ${PATH}?jsonp=cb&${message}`), {head: true}),
  ask('callback and a message of 9 kB', jsonp(`jsonp=cb&message=${'x'.repeat(9000)}`)),
  ask(
    'callback and a message of 7 kB',
    jsonp(`jsonp=cb&message=${encodeURIComponent(HANDSHAKE.replace('"1"', `"1","ext":{"a":"${'x'.repeat(7000)}"}`))}`),
  ),
]

function publish(id: string): string {
  return JSON.stringify([{channel: CHANNEL, id, clientId: 'nobody', data: {}}])
}

export const HTTP_PROBES: readonly Probe[] = [...SERVLET, ...PROTOCOL, ...JSONP]
