import {describe, expect, it} from 'vitest'
import {UsageError} from '../errors.ts'
import {parseFault} from './fault-flag.ts'
import {OPTION_NAMES, simulatorOptions} from './simulator-options.ts'

describe('--option', () => {
  it('knows every decision by its name without the unit', () => {
    expect(OPTION_NAMES).toEqual(
      expect.arrayContaining(['hold', 'max-interval', 'agent', 'auth', 'max-file-size', 'idle-close', 'file-types']),
    )
    expect(OPTION_NAMES.filter(name => !/^[a-z]+(-[a-z]+)*$/.test(name))).toEqual([])
  })

  it('reads each kind of value', () => {
    expect(
      simulatorOptions([
        'hold=5s',
        'max-file-size=2MiB',
        'max-files=3',
        'deflate=false',
        'agent=silent',
        'auth=ann:b:c',
        'file-types=PNG,pdf',
        'admin-auth=false',
        'chat-service=sales',
      ]),
    ).toEqual({
      holdMs: 5000,
      maxFileSize: 2 * 1024 * 1024,
      maxFiles: 3,
      deflate: false,
      agent: 'silent',
      auth: {username: 'ann', password: 'b:c'},
      fileTypes: ['png', 'pdf'],
      adminAuth: false,
      chatService: 'sales',
    })
  })

  it.each([
    [['hodl=5s'], /no such option; did you mean "hold"/],
    [['hold=5'], /expected hold= and a duration/],
    [['hold'], /expected hold= and a duration/],
    [['agent=asleep', 'deflate=no'], /answers, silent, absent\n--option deflate=no: expected deflate= and true or false/],
    [['auth=ann'], /USER:PASSWORD/],
    [['deflate=constructor'], /true or false/],
    // A timer that long would go off at once, and a limit of 0 would be none.
    [['idle-close=25d'], /at most 24d/],
    [['hold=1y'], /at most 24d/],
    [['max-message-size=0'], /expected max-message-size= and a size/],
  ])('%j is refused', (pairs, words) => {
    expect(() => simulatorOptions(pairs)).toThrow(words)
    expect(() => simulatorOptions(pairs)).toThrow(UsageError)
  })
})

describe('--fault', () => {
  it.each([
    ['hang', {fault: {kind: 'hang'}}],
    ['status=503', {fault: {kind: 'status', status: 503}}],
    ['slow-body=1KiB on=files', {fault: {kind: 'slow-body', bytesPerSecond: 1024}, on: ['files']}],
    [
      'delay=2s on=publish+connect transport=websocket node=gms1+gms2 times=3',
      {fault: {kind: 'delay', ms: 2000}, on: ['publish', 'connect'], transports: ['websocket'], nodes: ['gms1', 'gms2'], times: 3},
    ],
  ])('%s', (text, rule) => expect(parseFault(text)).toEqual(rule))

  it.each([
    ['hnag', /no fault "hnag"; did you mean "hang"/],
    ['delay', /delay takes a duration/],
    ['delay=2', /delay takes a duration/],
    ['status=five', /status takes an HTTP status/],
    ['hang=3', /hang takes no amount/],
    ['hang on=publsh', /on cannot be "publsh"; did you mean "publish"/],
    ['hang when=now', /there is no when=/],
    ['hang on=publish on=connect', /on= is said twice/],
  ])('%s is refused', (text, words) => {
    expect(() => parseFault(text)).toThrow(words)
    expect(() => parseFault(text)).toThrow(UsageError)
  })
})
