import {describe, expect, it} from 'vitest'
import {UsageError} from '../errors.ts'
import {loadParameters} from './load.ts'

const nodes = ['gms1:8080', 'gms2:8080']
const tls = {certificate: '/etc/ssl/chat.pem'}

async function problems(input: object): Promise<string> {
  const whole = JSON.stringify({upstream: {nodes}, ...input})
  try {
    await loadParameters({file: '-', stdin: () => Promise.resolve(whole), overrides: []})
    return ''
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
}

/** Each rule: what it complains about, and the nearest thing that is right. */
const RULES: readonly {says: string; wrong: object; right: object}[] = [
  {says: 'listener: nobody could connect', wrong: {listener: []}, right: {listener: [], tls}},
  {says: 'tls.port: *:80 is a plain listener already', wrong: {tls: {...tls, port: 80}}, right: {tls: {...tls, port: 81}}},
  {
    says: 'listener.1.port: *:80 is listed twice',
    wrong: {listener: [{port: 80}, {port: 80}]},
    right: {listener: [{port: 80}, {port: 80, address: '[::]'}]},
  },
  {
    says: 'listener.1.port: 0.0.0.0:80 is listed twice',
    wrong: {listener: [{port: 80}, {port: 80, address: '0.0.0.0'}]},
    right: {listener: [{port: 80}, {port: 80, address: '127.0.0.1'}]},
  },
  {
    says: 'listener.1.address: [0:0:0:0:0:0:0:1] is [::1], written in another way',
    wrong: {
      listener: [
        {address: '[::1]', serverNames: ['a.example']},
        {address: '[0:0:0:0:0:0:0:1]', serverNames: ['b.example']},
      ],
    },
    right: {
      listener: [
        {address: '[::1]', serverNames: ['a.example']},
        {address: '[::1]', serverNames: ['b.example']},
      ],
    },
  },
  {
    says: 'tls.port: 0.0.0.0:80 is a plain listener already',
    wrong: {tls: {...tls, address: '0.0.0.0', port: 80}},
    right: {tls: {...tls, address: '0.0.0.0', port: 81}},
  },
  ...['/a/../b', '/a/.', '//a'].map(path => ({
    says: `access.paths.0: ${path} is never asked for`,
    wrong: {access: {paths: [path]}},
    right: {access: {paths: ['/a.b/..c/...']}},
  })),
  {
    says: 'access.paths.1: /a is listed twice',
    wrong: {access: {paths: ['/a', '/a/']}},
    right: {access: {paths: ['/a', '/a/b', '/']}},
  },
  {
    says: 'tls.1.serverNames: A.example on *:443 is listed twice',
    wrong: {
      tls: [
        {...tls, serverNames: ['a.example']},
        {...tls, serverNames: ['b.example', 'A.example']},
      ],
    },
    right: {
      tls: [
        {...tls, serverNames: ['a.example']},
        {...tls, serverNames: ['b.example']},
      ],
    },
  },
  {
    says: 'listener.proxyProtocol: needs forwarding.trustedProxies',
    wrong: {listener: {proxyProtocol: true}},
    right: {listener: {proxyProtocol: true}, forwarding: {trustedProxies: ['10.0.0.1']}},
  },
  {
    says: 'cannot be read with and without a PROXY protocol header',
    wrong: {
      listener: [{serverNames: ['a.example'], proxyProtocol: true}, {serverNames: ['b.example']}],
      forwarding: {trustedProxies: ['10.0.0.1']},
    },
    right: {
      listener: [
        {serverNames: ['a.example'], proxyProtocol: true},
        {serverNames: ['b.example'], proxyProtocol: true},
      ],
      forwarding: {trustedProxies: ['10.0.0.1']},
    },
  },
  {says: 'tls.key: needs tls.certificate', wrong: {tls: {key: '/k'}}, right: {tls: {certificate: '/c', key: '/k'}}},
  {says: 'tls.redirect: has no effect', wrong: {listener: [], tls: {...tls, redirect: true}}, right: {tls: {...tls, redirect: true}}},
  {
    says: '9145 is the port of a listener',
    wrong: {listener: {port: 9145}, logging: {metricsPort: 9145}},
    right: {logging: {metricsPort: 9145}},
  },
  {
    says: 'gms1:8080 is listed twice',
    wrong: {upstream: {nodes: ['gms1:8080', 'GMS1:8080']}},
    right: {upstream: {nodes: ['gms1:8080', 'gms1:8081']}},
  },
  {
    says: 'n is the name of a node twice',
    wrong: {
      upstream: {
        nodes: [
          {host: 'a', port: 1, name: 'n'},
          {host: 'b', port: 1, name: 'n'},
        ],
      },
    },
    right: {
      upstream: {
        nodes: [
          {host: 'a', port: 1, name: 'n'},
          {host: 'b', port: 1, name: 'm'},
        ],
      },
    },
  },
  {
    says: 'no node would get a new chat',
    wrong: {
      upstream: {
        nodes: [
          {host: 'a', port: 1, backup: true},
          {host: 'b', port: 1, drain: true},
        ],
      },
    },
    right: {
      upstream: {
        nodes: [
          {host: 'a', port: 1, backup: true},
          {host: 'b', port: 1},
        ],
      },
    },
  },
  {
    says: 'upstream.tls.key: needs upstream.tls.certificate',
    wrong: {upstream: {nodes, tls: {key: '/k'}}},
    right: {upstream: {nodes, tls: {certificate: '/c', key: '/k'}}},
  },
  {
    says: 'upstream.tls.authority: has no effect',
    wrong: {upstream: {nodes, tls: {verify: false, authority: '/a'}}},
    right: {upstream: {nodes, tls: {verify: true, authority: '/a'}}},
  },
  {
    says: 'upgrade.idleTimeout: too short: on a quiet WebSocket GMS sends something every polling.hold, so at least 40s',
    wrong: {upgrade: {idleTimeout: '39s'}},
    right: {upgrade: {idleTimeout: '40s'}},
  },
  {says: 'it needs tls', wrong: {affinity: {sameSite: 'none'}}, right: {affinity: {sameSite: 'none'}, tls}},
  {
    says: 'affinity.partitioned: needs affinity.sameSite: none',
    wrong: {affinity: {partitioned: true}, tls},
    right: {affinity: {partitioned: true, sameSite: 'none'}, tls},
  },
  {
    says: 'routes have no effect',
    wrong: {upstream: {nodes: [{host: 'a', port: 1, route: 'r'}]}},
    right: {upstream: {nodes: [{host: 'a', port: 1, route: 'r'}]}, affinity: {mode: 'application-cookie'}},
  },
  {
    says: 'a node without route',
    wrong: {upstream: {nodes: [{host: 'a', port: 1, route: 'r'}, 'b:1']}, affinity: {mode: 'application-cookie'}},
    right: {upstream: {nodes: ['a:1', 'b:1']}, affinity: {mode: 'application-cookie'}},
  },
  {says: 'health.expect: has no effect', wrong: {health: {expect: 'UP'}}, right: {health: {mode: 'http', expect: 'UP'}}},
  {says: 'proxy needs access.origins', wrong: {access: {cors: 'proxy'}}, right: {access: {cors: 'proxy', origins: ['https://a.example']}}},
  {
    says: '0.0.0.0/0 is everybody',
    wrong: {forwarding: {trustedProxies: ['0.0.0.0/0']}},
    right: {forwarding: {trustedProxies: ['0.0.0.0/1']}},
  },
]

describe('parameters that contradict each other', () => {
  it.each(RULES)('$says', async ({says, wrong, right}) => {
    expect(await problems(wrong)).toContain(says)
    expect(await problems(right)).toBe('')
  })

  it('are all named at once, each where it was written', async () => {
    const text = ['upstream:', '  nodes: [a:1, a:1]', 'tls:', '  port: 80', ''].join('\n')
    const loading = loadParameters({file: '-', stdin: () => Promise.resolve(text), overrides: []})
    await expect(loading).rejects.toThrow(
      /2 problems[^]*stdin:2:\d+: upstream\.nodes\.1: a:1 is listed twice[^]*stdin:4:3: tls\.port: \*:80/,
    )
  })
})
