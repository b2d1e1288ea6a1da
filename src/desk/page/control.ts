import {CONTROL_HEADER, CONTROL_PATH, type FeedEvent} from '../protocol.ts'

/** How soon the feed is asked for again after it has broken off, ms. */
const AGAIN_MS = 1000

const base = `${document.querySelector<HTMLMetaElement>('meta[name=control]')?.content ?? ''}${CONTROL_PATH}`

/** One control call. @throws Error in the words of the simulator. */
export async function call(method: 'POST' | 'DELETE', path: string, body?: object): Promise<void> {
  const response = await fetch(base + path, {
    method,
    headers: {[CONTROL_HEADER]: '1', ...(body && {'content-type': 'application/json'})},
    ...(body && {body: JSON.stringify(body)}),
  })
  if (response.ok) return
  const {error, suggestions = []} = (await response.json()) as {error: string; suggestions?: readonly string[]}
  throw new Error([error, ...suggestions].join('. '))
}

/** Reads the feed for ever, and says when it breaks off and when it is back. */
export async function follow(say: (event: FeedEvent) => void, connected: (there: boolean) => void): Promise<void> {
  for (;;) {
    try {
      const {body} = await fetch(`${base}feed`, {headers: {[CONTROL_HEADER]: '1'}})
      if (!body) throw new Error('no body')
      connected(true)
      let rest = ''
      const reader = body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const {value, done} = await reader.read()
        if (done) break
        const lines = (rest + value).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) say(JSON.parse(line) as FeedEvent)
      }
    } catch {
      // Said by connected(false).
    }
    connected(false)
    await new Promise(resolve => setTimeout(resolve, AGAIN_MS))
  }
}
