import type {AnswersResult} from '../flows/answers.ts'
import type {CapturedRequest} from '../simulator/recorder.ts'
import type {Judgement, WitnessedStage} from './check.ts'
import {about, evidence, nothingArrived} from './evidence.ts'

/** An answer as a client got it. */
export interface ClientAnswer {
  status?: number
  contentType?: string
  bytes?: number
  sha256?: string
  /** Why there is none. */
  trouble?: string
}

/** What a proxy made of an answer of GMS, in words; `undefined` when it came through as it left: status, Content-Type and every byte. */
export function changedOnTheWay(got: ClientAnswer, {status, sent}: CapturedRequest): string | undefined {
  if (status === undefined) return got.status === undefined ? (got.trouble ?? 'no answer') : `${got.status} before GMS had answered`
  if (got.status === undefined) return `${got.trouble ?? 'no answer'} instead of ${status}`
  if (got.status !== status) return `${got.status} instead of ${status}`
  if (sent === undefined) return undefined
  if (typeOf(got.contentType) !== typeOf(sent.contentType))
    return `${status} as ${got.contentType ?? 'no Content-Type'} instead of ${sent.contentType ?? 'none'}`
  if (got.sha256 !== sent.sha256)
    return `${status} with another body${got.bytes === undefined ? '' : `, ${got.bytes} bytes`}, instead of the ${sent.bytes} bytes of GMS`
  return undefined
}

/** Case and blanks of a media type say nothing (RFC 9110, 8.3.1). */
function typeOf(value: string | undefined): string | undefined {
  return value?.toLowerCase().replace(/\s/g, '')
}

/**
 * Holds every answer against what GMS sent. A proxy may refuse a request that no client needs: what did not reach GMS is not judged, but
 * for those named in `certain`.
 */
export function judgeAnswers(
  result: AnswersResult,
  {upstream: {recorder}}: WitnessedStage,
  {message, expected, certain}: {message: string; expected: string; certain: readonly string[]},
): Judgement {
  const judged = result.answers.map(answer => {
    const arrived = recorder.byProbe(answer.probe)
    return {answer, arrived, changed: arrived && changedOnTheWay(answer, arrived)}
  })
  const changed = judged.filter(({changed: how}) => how !== undefined)
  if (changed.length > 0)
    return {
      status: 'failed',
      findings: [
        {
          message,
          expected,
          actual: changed.map(({answer, changed: how}) => `${answer.name}: ${how}`).join('; '),
          evidence: evidence(
            about(
              result,
              changed.map(({answer}) => answer.probe),
            ),
            recorder,
          ),
        },
      ],
    }
  const seen = judged.filter(({arrived}) => arrived).map(({answer}) => answer.name)
  if (result.ended !== 'completed' || certain.some(name => !seen.includes(name))) return nothingArrived(result, recorder)
  return {status: 'passed', detail: seen.join(', ')}
}
