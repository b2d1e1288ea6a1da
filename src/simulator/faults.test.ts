import {describe, expect, it} from 'vitest'
import {UsageError} from '../errors.ts'
import {FAULT_KINDS, FAULT_SCENES, FaultBoard, type Fault, type FaultRule} from './faults.ts'

const EXAMPLES: Record<Fault['kind'], Fault> = {
  delay: {kind: 'delay', ms: 10},
  hang: {kind: 'hang'},
  drop: {kind: 'drop'},
  'session-unknown': {kind: 'session-unknown'},
  status: {kind: 'status', status: 503},
  'slow-body': {kind: 'slow-body', bytesPerSecond: 100},
  oversize: {kind: 'oversize'},
}
const board = () => new FaultBoard(['gms1', 'gms2'])

describe('the board of faults', () => {
  it.each(FAULT_KINDS)('%s with nothing else said strikes on every scene that can have it, and on no other', kind => {
    const faults = board()
    faults.add({fault: EXAMPLES[kind]})
    const struck = FAULT_SCENES.filter(scene => faults.strike({node: 'gms1', scene}))
    const allowed = FAULT_SCENES.filter(scene => !thrown(() => board().add({fault: EXAMPLES[kind], on: [scene]})))
    expect(struck).toEqual(allowed)
    expect(struck.length).toBeGreaterThan(0)
  })

  it('strikes only where the rule says', () => {
    const faults = board()
    faults.add({fault: {kind: 'hang'}, nodes: ['gms2'], on: ['publish'], transports: ['websocket'], probe: 'p1'})
    const there = {node: 'gms2', scene: 'publish', transport: 'websocket', probe: 'p1'} as const
    expect(faults.strike({...there, node: 'gms1'})).toBeUndefined()
    expect(faults.strike({...there, scene: 'connect'})).toBeUndefined()
    expect(faults.strike({...there, transport: 'long-polling'})).toBeUndefined()
    expect(faults.strike({...there, probe: 'p2'})).toBeUndefined()
    expect(faults.strike({node: 'gms2', scene: 'publish', probe: 'p1'})).toBeUndefined()
    expect(faults.strike(there)).toEqual({kind: 'hang'})
  })

  it('strikes as often as asked, then is gone; counts; can be taken off', () => {
    const faults = board()
    const twice = faults.add({fault: {kind: 'drop'}, times: 2})
    const always = faults.add({fault: {kind: 'hang'}})
    const kinds = Array.from({length: 4}, () => faults.strike({node: 'gms1', scene: 'connect'})?.kind)
    expect(kinds).toEqual(['drop', 'drop', 'hang', 'hang'])
    expect(faults.active).toEqual([{id: always, fault: {kind: 'hang'}, struck: 2}])
    expect(faults.remove(twice)).toBe(false)
    expect(faults.remove(always)).toBe(true)
    faults.add({fault: {kind: 'hang'}})
    faults.clear()
    expect(faults.strike({node: 'gms1', scene: 'connect'})).toBeUndefined()
  })

  it.each<[string, FaultRule]>([
    ['there is no node "gms9"', {fault: {kind: 'hang'}, nodes: ['gms9']}],
    ['nodes is empty', {fault: {kind: 'hang'}, nodes: []}],
    ['on is empty', {fault: {kind: 'hang'}, on: []}],
    ['transports is empty', {fault: {kind: 'hang'}, transports: []}],
    ['cannot strike on handshake', {fault: {kind: 'session-unknown'}, on: ['handshake']}],
    ['cannot strike on files', {fault: {kind: 'session-unknown'}, on: ['files']}],
    ['cannot strike on upgrade', {fault: {kind: 'slow-body', bytesPerSecond: 10}, on: ['upgrade']}],
    ['cannot strike on health', {fault: {kind: 'oversize'}, on: ['health']}],
    ['files travels on no Bayeux transport', {fault: {kind: 'hang'}, on: ['files'], transports: ['websocket']}],
    ['always for websocket', {fault: {kind: 'hang'}, on: ['upgrade'], transports: ['long-polling']}],
    ['times must be', {fault: {kind: 'hang'}, times: 0}],
    ['ms must be', {fault: {kind: 'delay', ms: -1}}],
    ['ms must be', {fault: {kind: 'delay', ms: 2 ** 31}}],
    ['status must be', {fault: {kind: 'status', status: 200}}],
    ['bytesPerSecond must be', {fault: {kind: 'slow-body', bytesPerSecond: 0}}],
  ])('refuses what could never strike: %s', (words, rule) => {
    expect(thrown(() => board().add(rule))).toMatchObject({message: expect.stringContaining(words) as string})
    expect(thrown(() => board().add(rule))).toBeInstanceOf(UsageError)
  })
})

function thrown(work: () => unknown): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}
