import {runInThisContext} from 'node:vm'

/** What Node lacks of a page for callback-polling: a script element that fetches its source with the cookies of the host, and runs it. */
export function installDocument() {
  const cookies = new Map()
  const head = {
    appendChild(script) {
      script.parentNode = head
      void load(script)
    },
    removeChild: () => undefined,
  }
  async function load(script) {
    try {
      const cookie = [...cookies].map(pair => pair.join('=')).join('; ')
      const answer = await fetch(script.src, {headers: cookie === '' ? {} : {cookie}})
      for (const line of answer.headers.getSetCookie()) {
        const [pair] = line.split(';')
        cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
      }
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
      runInThisContext(await answer.text())
    } catch {
      script.onerror?.({type: 'error'})
    }
  }
  // Callbacks are called as globals, so the window has to be the global object.
  globalThis.window = globalThis
  globalThis.document = {createElement: () => ({}), getElementsByTagName: () => [head]}
}
