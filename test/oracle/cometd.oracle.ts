import {isDeepStrictEqual} from 'node:util'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {startSimulator, type Simulator} from '../../src/simulator/simulator.ts'
import {DIFFERENCES} from './differences.ts'
import {Stage, type Probe, type Target} from './probe.ts'
import {HTTP_PROBES} from './probes/http.ts'
import {POLLING_PROBES} from './probes/polling.ts'
import {UPGRADE_PROBES} from './probes/upgrade.ts'
import {WEBSOCKET_PROBES} from './probes/websocket.ts'
import {GENERATIONS, buildReal, startReal, type RealServer} from './real-cometd.ts'

/**
 * The same probes to a real CometD server and to the simulator: status line, every header in its order, body, frames, close codes, and whether
 * the connection is closed after.
 */
const SETTINGS = {holdMs: 1500, maxIntervalMs: 1200, maxMessageSize: 65_536}
/** A busy machine may tear a probe's waits apart on one side: only what differs every time differs. */
const TRIES = 4
const PROBES: readonly Probe[] = [...HTTP_PROBES, ...UPGRADE_PROBES, ...POLLING_PROBES, ...WEBSOCKET_PROBES]

async function answerOf(probe: Probe, target: Target): Promise<unknown> {
  using stage = new Stage(target)
  // What is left out and what is undefined are the same on the wire.
  return JSON.parse(JSON.stringify(await probe.run(stage)))
}

it('every probe has a name of its own, and every difference is of a probe', () => {
  const names = new Set(PROBES.map(({name}) => name))
  expect(names.size).toBe(PROBES.length)
  expect(DIFFERENCES.map(({probe}) => probe).filter(probe => !names.has(probe))).toEqual([])
})

describe.each(GENERATIONS)('%s', generation => {
  let real: RealServer
  let simulator: Simulator
  let targets: {real: Target; simulated: Target}
  let equal = 0
  let told = 0

  beforeAll(async () => {
    await buildReal(generation)
    real = await startReal(generation, {nodes: 2, ...SETTINGS})
    simulator = await startSimulator({nodes: 2, flavour: generation, ...SETTINGS})
    targets = {real: {ports: real.ports, ...SETTINGS}, simulated: {ports: simulator.nodes.map(({port}) => port), ...SETTINGS}}
  }, 600_000)
  afterAll(async () => {
    await simulator[Symbol.asyncDispose]()
    await real[Symbol.asyncDispose]()
    process.stdout.write(`${generation}: ${equal} of ${equal + told} probes equal, ${told} differ and are listed with the reason\n`)
  })

  it.concurrent.each(PROBES)('$name', async probe => {
    const difference = DIFFERENCES.find(known => known.probe === probe.name && (known.generation ?? generation) === generation)
    let [expected, actual]: unknown[] = []
    for (let tries = 0; tries < TRIES; tries += 1) {
      ;[expected, actual] = await Promise.all([answerOf(probe, targets.real), answerOf(probe, targets.simulated)])
      if (isDeepStrictEqual(expected, actual)) break
    }
    if (difference) {
      expect(actual, `is the same now: take it from the list (${difference.reason})`).not.toEqual(expected)
      told += 1
    } else {
      expect(actual).toEqual(expected)
      equal += 1
    }
  })
})
