import type {Generation} from './real-cometd.ts'

/** A probe that the simulator answers otherwise than the real server, on purpose. */
export interface Difference {
  probe: string
  /** Without: both. */
  generation?: Generation
  reason: string
}

const PARSER =
  'Node parses the head of a request before we see it, and takes or refuses other things than Jetty; no proxy forwards such a request.'

/** Every one of them is checked to differ still: what has become equal must be taken from this list. */
export const DIFFERENCES: readonly Difference[] = [
  {probe: 'get without a body', reason: PARSER},
  {probe: 'post without a body', reason: PARSER},
  {probe: 'a chunk of no size', reason: PARSER},
  {probe: 'line ends without CR', reason: PARSER},
  {probe: 'CONNECT', reason: `${PARSER} Jetty calls it not found, the simulator bad; neither opens a tunnel.`},
  {probe: 'HTTP/3.0', generation: 'cometd-8', reason: PARSER},
  {
    probe: 'expect 100-continue',
    generation: 'cometd-5',
    reason:
      'Jetty 9.4 leaves the 100 out when the body is there already, which Node cannot know. Sent only after the 100, the body is taken alike.',
  },
  {
    probe: 'the application itself',
    reason: 'Jetty redirects the bare path of an application. What stands at /genesys of a real GMS is not known.',
  },
  {
    probe: 'handshake as text/json;charset=klingon',
    reason: 'CometD 5 fails and CometD 8 never answers. No client sends another encoding than UTF-8.',
  },
  {
    probe: 'POST nested in 300 lists',
    reason: "A defect of Jetty's asynchronous JSON parser: 50 lists in each other fail, 1000 do not.",
  },
  {
    probe: 'callback with a bad escape',
    generation: 'cometd-8',
    reason: 'A defect of CometD 8: it never answers.',
  },
  {
    probe: 'a request line just within limits',
    generation: 'cometd-8',
    reason: 'Jetty 12 breaks off an error page that shows so long a target.',
  },
  {
    probe: 'upgrade with x-webkit-deflate-frame',
    generation: 'cometd-5',
    reason: 'An extension of browsers of 2013, before permessage-deflate was a standard.',
  },
  {
    probe: 'upgrade with two offers of permessage-deflate',
    generation: 'cometd-8',
    reason: 'Jetty 12 fails and closes the connection without saying so before.',
  },
  {
    probe: 'upgrade by GET with a body',
    generation: 'cometd-8',
    reason: 'Jetty 12 takes the body for a body, Jetty 9.4 and the simulator take it for the first frame, as RFC 6455 has it.',
  },
  {
    probe: 'websocket: permessage-deflate, small and large',
    reason: 'Short answers are sent as they are: a compressor costs a connection 250 kB, and thousands of idle chats must fit into memory.',
  },
  {
    probe: 'websocket: invalid UTF-8',
    generation: 'cometd-5',
    reason: 'The close reason of Jetty 9.4 names the byte; the code, 1007, is the same.',
  },
  {
    probe: 'websocket: close with invalid UTF-8',
    generation: 'cometd-5',
    reason: 'Jetty 9.4 has another close reason here; the code, 1007, is the same.',
  },
  {
    probe: 'websocket: a list of null',
    generation: 'cometd-8',
    reason: 'The close reason quotes an exception of the Java machine; the code, 1011, is the same.',
  },
  {
    probe: 'websocket: a list of numbers',
    generation: 'cometd-8',
    reason: 'The close reason quotes an exception of the Java machine; the code, 1011, is the same.',
  },
]
