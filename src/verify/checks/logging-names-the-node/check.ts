import {markedRequests} from '../../../flows/marked-requests.ts'
import {notPromised, withWitnesses} from '../../check.ts'
import {about, evidence, nothingArrived} from '../../evidence.ts'

/** So many that no word but the name of a node stands in all lines of one node and in none of the others. */
const REQUESTS = 24
const LEAST_OF_ONE_NODE = 3

interface LogLine {
  marker: string
  probe: string
  node: string
  text: string
}

export const check = withWitnesses({
  meta: {
    id: 'logging-names-the-node',
    title: 'The access log says which node answered',
    concern: 'logging',
    severity: 'note',
    requirement:
      'Each line of the access log names the node that the request was passed on to: sessions live on one node, and so do their troubles.',
    remediation: {
      nginx: 'log_format with $upstream_addr',
      apache: 'LogFormat with %{BALANCER_WORKER_NAME}e',
      haproxy: 'log-format with %b/%s, as option httplog has it',
    },
    directives: {
      nginx: ['log_format', 'access_log', 'server'],
      apache: ['LogFormat', 'CustomLog', 'TransferLog', 'VirtualHost'],
      haproxy: ['log-format', 'option httplog', 'log', 'frontend'],
    },
    references: [
      'nginx: $upstream_addr; Apache: BALANCER_WORKER_NAME of mod_proxy_balancer; HAProxy: %s',
      'GMS Chat API V2 over CometD, prerequisites: a session lives on one node',
    ],
  },
  presupposes: ['upstream-path-intact', 'listener-reaches-gms'],
  // Beside chats of others the least busy node is for a while the same one for every request.
  isolation: 'own-proxy',
  budgetMs: () => 120_000,
  async run({flow, configuration, upstream: {recorder, nodes}}) {
    if (nodes.length === 1) return notPromised('one node: every line is of it')
    const result = await flow(markedRequests, {requests: REQUESTS})
    const arrived = result.requests.flatMap(({marker, probe}) => {
      const node = recorder.byProbe(probe)?.node
      return node === undefined ? [] : [{marker, probe, node}]
    })
    if (arrived.length === 0) return nothingArrived(result, recorder)
    const markers = arrived.map(({marker}) => marker)
    const found = (await configuration?.findInLog(markers, 'patiently')) ?? []
    const lines = arrived.flatMap((request): readonly LogLine[] => {
      const line = found.find(({text}) => text === request.marker)?.line
      return line === undefined ? [] : [{...request, text: line}]
    })
    if (lines.length === 0) return {status: 'skipped', because: 'no log that can be read here names these requests'}
    const byNode = nodes.map(({name}) => lines.filter(({node}) => node === name)).filter(own => own.length >= LEAST_OF_ONE_NODE)
    const [one, ...others] = byNode
    if (!one || others.length === 0)
      return {status: 'skipped', because: 'all of these requests went to one node: its lines cannot be told from those of another'}
    const named = byNode.map(own => nameIn(own, byNode.filter(other => other !== own).flat()))
    if (named.every(name => name !== undefined)) return {status: 'passed', detail: named.join(', ')}
    const [nameless] = byNode.filter((_, index) => named[index] === undefined)
    const [line] = nameless ?? one
    return {
      status: 'failed',
      findings: [
        {
          message: 'Expected the access log to name the node that answered',
          expected: 'a word in the lines of each node that the lines of the others do not have',
          actual: `the same words for ${byNode.length} nodes: ${line?.text.slice(0, 160) ?? ''}`,
          evidence: evidence(about(result, line ? [line.probe] : []), recorder),
        },
      ],
    }
  },
})

/** What only the lines of one node have, and all of them: numbers apart, which may agree by chance; an address is a name. */
function nameIn(own: readonly LogLine[], others: readonly LogLine[]): string | undefined {
  const words = ({text}: LogLine) => new Set(text.split(/[\s"'[\]{}<>,;|=/]+/).filter(isName))
  const [first, ...rest] = own.map(words)
  const foreign = new Set(others.flatMap(line => [...words(line)]))
  return [...(first ?? [])].find(word => rest.every(line => line.has(word)) && !foreign.has(word))
}

/** No number, time or date: an address with its port, or what begins with a letter. */
function isName(word: string): boolean {
  return /^[a-z]/i.test(word) || /^(?:\d+\.){3}\d+:\d+$/.test(word)
}
