import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-fallback-hides-failure',
    title: 'The client falls back to long-polling and hides that WebSocket is broken',
    concern: 'upgrade',
    severity: 'note',
    requirement:
      'A client that may choose takes WebSocket where GMS offers it; one that ends on long-polling has met a failure that it does not tell.',
    remediation: {
      nginx: 'Mend the upgrade (see the findings of upgrade-…), and try each transport alone: unregister the others in the client',
      apache: 'Mend the upgrade (see the findings of upgrade-…), and try each transport alone: unregister the others in the client',
      haproxy: 'Mend the upgrade (see the findings of upgrade-…), and try each transport alone: unregister the others in the client',
    },
    references: [
      'CometD reference: transport negotiation',
      'Measured: cometd 9.0.0 says "connected" over long-polling 4 ms after the WebSocket failed',
    ],
    breaks: [],
    mayBreak: [],
    provenBy: {
      by: 'evidence',
      because:
        'it is what clients do about another defect: seen when upgrade-handshake passes or fails and upgrade-negotiated ends on long-polling',
    },
  },
}
