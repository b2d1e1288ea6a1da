/**
 * The generation that a simulated GMS speaks like. `cometd-5` is the golden one: CometD 5.0 on Jetty 9.4. `cometd-8` is CometD 8.0 on Jetty 12.
 * Measured: both generations started embedded, every probe of the differential suite sent to them.
 */
export type FlavourName = 'cometd-5' | 'cometd-8'

/** Everything in which the two generations differ for a client or a proxy. */
export interface Flavour {
  /** The `Server` header. */
  readonly server: string
  /** Where `Server` and `Date` stand: Jetty 9.4 begins with the date and ends with its name, Jetty 12 begins with both. */
  readonly serverFirst: boolean
  /** Whether error pages carry a date. */
  readonly datedErrors: boolean
  /** Headers of a 101 in their order; the spelling of the Upgrade header. */
  readonly upgradeOrder: readonly ('Date' | 'Sec-WebSocket-Extensions' | 'Connection' | 'Sec-WebSocket-Accept' | 'Server' | 'Upgrade')[]
  readonly upgradeToken: 'WebSocket' | 'websocket'
  /** Content type of a long-polling answer. */
  readonly jsonType: string
  /** What a page of Jetty's error handler looks like. */
  readonly page: {readonly bodyBreak: string; readonly absoluteUri: boolean; readonly servletRow: boolean}
  /** What the parser refuses is answered with a bare heading and its reason as reason phrase, or with an error page. */
  readonly badMessage: 'heading' | 'page'
  /** What is said of a header line that begins with a space or a colon. */
  readonly folding: string
  /** What an Expect other than 100-continue is answered. */
  readonly otherExpectation: 417 | 'cut'
  /** What a body that is no JSON is answered over long-polling: 500 and the end of the connection, or 400. */
  readonly garbage: 'cut' | 400
  /** CometD's own failures, a batch that breaks the protocol among them: a status without a word, or an error page. */
  readonly failures: 'empty' | 'page'
  /** What JSON `null`, and an empty `message` of a callback, is answered. */
  readonly nothing: 200 | 500
  /** Whether a body that is no UTF-8 is no JSON either; else what is wrong in it is replaced (U+FFFD). */
  readonly strictUtf8: boolean
  /** Whether a second `jsonp` parameter is overlooked. */
  readonly repeatedCallback: 'first counts' | 'refused'
  /** An upgrade of another version than 13: refused by name, or no upgrade at all. */
  readonly otherVersion: 'refused' | 'plain'
  /** Of several Connection headers the last decides about an upgrade, or any. */
  readonly connectionHeader: 'last' | 'any'
  /** Whether a refused upgrade without key closes the connection. */
  readonly missingKeyCloses: boolean
  /** Targets with `//`, `%2F` or markup are refused. */
  readonly strictUri: boolean
  /** Several Hosts and an empty one are refused. */
  readonly strictHost: boolean
  /** What a query with a `%` and no two digits is answered; CometD 8 takes the `%` for itself. */
  readonly badEscape: 400 | 'taken'
  /** What an offer of permessage-deflate with an unknown parameter, and a second offer, is answered. */
  readonly unknownParameter: 500 | 400
  readonly secondOffer: 'overlooked' | 500
  /** An empty text frame is not delivered to CometD, or breaks the protocol. */
  readonly emptyText: 'ignored' | 'violation'
  /** Longest close reason of CometD's own, characters. */
  readonly maxReason: number
  /** Numbers in close reasons have their thousands apart. */
  readonly groupedNumbers: boolean
  /** Close reasons of Jetty. `{0}` is what was found: an opcode, a length, a code. */
  readonly reasons: Readonly<Record<CloseReason, string>>
}

/** Why Jetty closes a WebSocket by itself. */
export type CloseReason =
  | 'unmasked'
  | 'rsv1'
  | 'rsv3'
  | 'opcode'
  | 'continuation'
  | 'interrupted'
  | 'utf8'
  | 'control length'
  | 'fragmented control'
  | 'close length'
  | 'close code'
  | 'close code range'
  | 'oversize'
  | 'oversize inflated'

export const FLAVOURS: Readonly<Record<FlavourName, Flavour>> = {
  'cometd-5': {
    server: 'Jetty(9.4.57.v20241219)',
    serverFirst: false,
    datedErrors: false,
    upgradeOrder: ['Date', 'Sec-WebSocket-Extensions', 'Connection', 'Sec-WebSocket-Accept', 'Server', 'Upgrade'],
    upgradeToken: 'WebSocket',
    jsonType: 'application/json;charset=utf-8',
    page: {bodyBreak: '', absoluteUri: false, servletRow: true},
    badMessage: 'heading',
    folding: 'Header Folding',
    otherExpectation: 417,
    garbage: 'cut',
    failures: 'empty',
    nothing: 200,
    strictUtf8: true,
    repeatedCallback: 'first counts',
    otherVersion: 'refused',
    connectionHeader: 'last',
    missingKeyCloses: true,
    strictUri: false,
    strictHost: false,
    badEscape: 400,
    unknownParameter: 500,
    secondOffer: 'overlooked',
    emptyText: 'ignored',
    maxReason: 30,
    groupedNumbers: false,
    reasons: {
      unmasked: 'Client MUST mask all frames (RFC-6455: Section 5.1)',
      rsv1: 'RSV1 not allowed to be set',
      rsv3: 'RSV3 not allowed to be set',
      opcode: 'Unknown opcode: {0}',
      continuation: 'CONTINUATION frame without prior !FIN',
      interrupted: 'Unexpected TEXT frame, was expecting CONTINUATION',
      utf8: 'org.eclipse.jetty.util.Utf8Appendable$NotUtf8Exception: Not valid UTF8!',
      'control length': 'Invalid control frame payload length, [{0}] cannot exceed [125]',
      'fragmented control': 'Fragmented Ping Frame [PING]',
      'close length': 'Invalid close frame payload length, [1]',
      'close code': 'Frame forbidden close status code: {0}',
      'close code range': 'Out of range close status code: {0}',
      oversize: 'Text message size [{0}] exceeds maximum size [{1}]',
      'oversize inflated': 'Resulting message size [{0}] is too large for configured max of [{1}]',
    },
  },
  'cometd-8': {
    server: 'Jetty(12.0.25)',
    serverFirst: true,
    datedErrors: true,
    upgradeOrder: ['Server', 'Date', 'Sec-WebSocket-Extensions', 'Upgrade', 'Sec-WebSocket-Accept', 'Connection'],
    upgradeToken: 'websocket',
    jsonType: 'application/json',
    page: {bodyBreak: '\n', absoluteUri: true, servletRow: false},
    badMessage: 'page',
    folding: 'Line Folding not supported',
    otherExpectation: 'cut',
    garbage: 400,
    failures: 'page',
    nothing: 500,
    strictUtf8: false,
    repeatedCallback: 'refused',
    otherVersion: 'plain',
    connectionHeader: 'any',
    missingKeyCloses: false,
    strictUri: true,
    strictHost: true,
    badEscape: 'taken',
    unknownParameter: 400,
    secondOffer: 500,
    emptyText: 'violation',
    maxReason: 123,
    groupedNumbers: true,
    reasons: {
      unmasked: 'Client MUST mask all frames (RFC-6455: Section 5.1)',
      rsv1: 'RSV1 not allowed to be set',
      rsv3: 'RSV3 not allowed to be set',
      opcode: 'Unknown opcode: {0}',
      continuation: 'CONTINUATION after fin==true',
      interrupted: 'DataFrame before fin==true',
      utf8: 'Invalid UTF-8',
      'control length': 'Invalid control frame payload length, [{0}] cannot exceed [125]',
      'fragmented control': 'Fragmented Control Frame [PING]',
      'close length': 'Invalid CLOSE payload',
      'close code': 'Invalid CLOSE Code: {0}',
      'close code range': 'Invalid CLOSE Code: {0}',
      oversize: 'Text message too large: {0} > {1}',
      'oversize inflated': 'Text message too large: {0} > {1}',
    },
  },
}
