// Idle WebSocket chats at once, through the rendered configuration for 9,500 and through the published sample: how many are held, how long
// opening takes, and what one costs the proxy in memory. Judged by the check that `verify` runs.
import {cases, stageOf} from './proxies.mjs'

const {descriptorLimit} = await import('../../src/runtime/descriptors.ts')
const {check} = await import('../../src/verify/checks/limits-hold-idle-chats/check.ts')
/** Above what any of the samples holds. */
const SAMPLE_CHATS = 2500

console.log(`${await descriptorLimit()} file descriptors a process`)
for (const each of cases('many-chats.yaml')) {
  const rendered = each.parameters !== undefined
  const set = await stageOf(each, rendered ? undefined : SAMPLE_CHATS)
  try {
    const judgement = await check.run(set.stage)
    const said = judgement.detail ?? judgement.because ?? judgement.findings.map(({actual}) => actual).join('; ')
    console.log(`${each.name.slice(-32).padEnd(34)} of ${set.stage.promises.chats}: ${said}`)
  } finally {
    await set[Symbol.asyncDispose]()
  }
}
