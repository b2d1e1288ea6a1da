import {expect, test} from 'vitest'
import {startSimulator} from '../simulator/simulator.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {changedOnTheWay} from './answer-judgement.ts'

test('an answer is held against what GMS sent: status, Content-Type, every byte', async () => {
  await using simulator = await startSimulator({nodes: 1})
  await fetch(`http://127.0.0.1:${simulator.nodes[0]?.port ?? 0}${COMETD_PATH}`)
  const [arrived] = simulator.recorder.requests
  if (!arrived?.sent) throw new Error('nothing was sent')
  const {contentType, bytes, sha256} = arrived.sent
  const good = {status: 400, bytes, sha256, ...(contentType === undefined ? {} : {contentType})}
  expect(changedOnTheWay(good, arrived)).toBeUndefined()
  expect(changedOnTheWay({...good, contentType: 'Text/HTML; charset=ISO-8859-1'}, arrived)).toBeUndefined()
  expect(changedOnTheWay({...good, status: 200}, arrived)).toBe('200 instead of 400')
  expect(changedOnTheWay({...good, contentType: 'text/plain'}, arrived)).toContain('400 as text/plain instead of text/html')
  expect(changedOnTheWay({...good, bytes: 3, sha256: '00'}, arrived)).toMatch(
    /400 with another body, 3 bytes, instead of the \d+ bytes of GMS/,
  )
  expect(changedOnTheWay({trouble: 'closed'}, arrived)).toBe('closed instead of 400')
})
