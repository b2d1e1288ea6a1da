import {describe, expect, it} from 'vitest'
import {timedReport, timingCases, verdictsOf} from '../support/timing.ts'

// A sample of `npm run bench -- timing`: what fails in real time fails in compressed time, and tells the times of production.

const SAMPLE: Readonly<Record<string, readonly string[]>> = {
  'src/verify/checks/polling-hold-survives/broken.haproxy.cfg': ['polling-hold-survives', 'upgrade-idle-survives'],
  'src/verify/checks/polling-hold-survives/broken.nginx.conf': ['polling-hold-survives', 'upload-late-answer'],
  'src/verify/checks/polling-hold-survives/broken.httpd.conf': ['polling-hold-survives', 'upgrade-idle-survives'],
  'src/verify/checks/upgrade-idle-survives/broken.nginx.conf': ['upgrade-idle-survives'],
  'src/verify/checks/upload-slow-client/broken.haproxy.cfg': ['upload-slow-client'],
  'src/verify/checks/upload-slow-client/broken.nginx.conf': ['upload-slow-client', 'polling-hold-survives'],
  'src/verify/checks/upload-late-answer/broken.httpd.conf': ['upload-late-answer'],
  'src/verify/checks/access-slow-headers-cut/broken.nginx.conf': ['access-slow-headers-cut'],
  'src/verify/checks/upstream-reload-keeps-chat/broken.haproxy.cfg': ['upstream-reload-keeps-chat'],
}

describe('verdicts in compressed time equal those in real time', () => {
  it.concurrent.each(Object.entries(SAMPLE))(
    '%s',
    async (path, checks) => {
      expect((await timingCases()).some(each => each.path === path)).toBe(true)
      const {signal} = new AbortController()
      const [fast, slow] = await Promise.all([
        timedReport({path, checks}, 'compressed', signal),
        timedReport({path, checks}, 'real', signal),
      ])
      expect(verdictsOf(fast)).toEqual(verdictsOf(slow))
      expect(fast).toMatchObject({timing: 'compressed', promises: slow.promises})
      expect(slow.timing).toBe('real')
    },
    240_000,
  )
})
