import type {ChatResult} from '../flows/chat.ts'
import {chat} from '../flows/chat.ts'
import type {BayeuxTransport} from '../wire/bayeux.ts'
import type {Judgement, Stage} from './check.ts'
import {evidence, time} from './evidence.ts'

/** Runs a whole chat with the official client over one forced transport, and judges it. */
export async function judgeChat(stage: Stage, transport: BayeuxTransport): Promise<Judgement> {
  const result = await stage.flow(chat, {transport})
  const flaw = flawOf(result, transport)
  if (flaw) return {status: 'failed', findings: [{...flaw, evidence: evidence(result, stage.upstream?.recorder)}]}
  const unseen = {
    answer: '',
    join: '; the agent says nothing by itself: no answer was awaited',
    absent: '; no agent is logged in: none was awaited',
  }[stage.target.agent ?? 'answer']
  return {status: 'passed', detail: `${result.messages.length} events, 1 session${unseen}`}
}

function flawOf(result: ChatResult, transport: BayeuxTransport): {message: string; expected: string; actual: string} | undefined {
  const broken = result.steps.find(({ok}) => !ok)
  if (result.negotiated !== undefined && result.negotiated !== transport)
    return {message: `Expected the session to use ${transport}`, expected: transport, actual: result.negotiated}
  if (broken)
    return {
      message: `Expected the chat to get past "${broken.step}" over ${transport}`,
      expected: 'handshake, chat, message, answer and disconnect all succeed',
      actual: `"${broken.step}" failed after ${time(broken.tookMs)}: ${broken.note}`,
    }
  if (result.ended !== 'completed')
    return {
      message: `Expected a whole chat over ${transport}`,
      expected: 'handshake, chat, message, answer and disconnect all succeed',
      actual: result.stoppedAt ?? result.ended,
    }
  if (result.handshakes > 1)
    return {
      message: 'Expected one session from the first message to the last',
      expected: '1 handshake',
      actual: `${result.handshakes} handshakes: the session was lost ${result.handshakes - 1} ${result.handshakes === 2 ? 'time' : 'times'} on the way`,
    }
  return undefined
}
