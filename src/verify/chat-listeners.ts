import {plainRequest} from '../flows/plain-request.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import type {WitnessedStage} from './check.ts'
import {seesOurAddress} from './ways-in.ts'

/** The stage as customers of another listener see it. */
export interface ListenerStage {
  /** As the configuration writes it. */
  address: string
  /** A certificate is named for it and TLS is not switched on: what GMS should be told of its scheme is anybody's guess. */
  meansTls: boolean
  stage: WitnessedStage
}

/**
 * The stage at every listener through which a request for the chat reaches GMS, that of the checks first: what is said of one of them says
 * nothing of the others. `none` is what was seen when there is no such listener.
 */
export async function chatListeners(stage: WitnessedStage): Promise<readonly ListenerStage[]> {
  const {target, configuration, upstream} = stage
  const all =
    configuration && configuration.listeners.length > 0 ? configuration.listeners : [{url: target.url, address: '', meansTls: false}]
  const found = await Promise.all(
    all.map(async ({url, address, meansTls, announcedBy}): Promise<readonly ListenerStage[]> => {
      const there = {...target, url, announcedBy}
      const own: WitnessedStage = {...stage, target: there, flow: (flow, input, against = there) => stage.flow(flow, input, against)}
      const seen = await own.flow(plainRequest, {target: COMETD_PATH})
      return upstream.recorder.byProbe(seen.probe) ? [{address, meansTls, stage: own}] : []
    }),
  )
  return found.flat()
}

/** The same users, who come from `address` where the proxy can see that. */
export function from(stage: WitnessedStage, address: string | undefined): WitnessedStage {
  if (address === undefined || !seesOurAddress(stage)) return stage
  const target = {...stage.target, from: address}
  return {...stage, target, flow: (flow, input, against = target) => stage.flow(flow, input, against)}
}
