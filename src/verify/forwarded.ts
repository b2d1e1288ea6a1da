import type {CapturedRequest} from '../simulator/recorder.ts'

/** Headers by which a node may learn who the client is: the field's habits and RFC 7239. */
export const CLIENT_ADDRESS_HEADERS = ['x-forwarded-for', 'x-real-ip', 'forwarded'] as const

/** Every address that the request names as its client, in order. Several header lines are one list (RFC 9110, 5.2). */
export function forwardedFor(request: CapturedRequest): readonly string[] {
  return (request.headers['x-forwarded-for'] ?? [])
    .flatMap(line => line.split(','))
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
}
