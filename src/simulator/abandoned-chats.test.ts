import {expect, it} from 'vitest'
import {silentLogger} from '../log.ts'
import {chatChannel} from '../wire/chat.ts'
import {BayeuxSession} from './bayeux-session.ts'
import {decide} from './chat-options.ts'
import {ChatService} from './chat-service.ts'
import {Warnings} from './warnings.ts'

it('ends the oldest chats that nobody follows any more, and no other', () => {
  const decisions = decide({})
  const chats = new ChatService(decisions, new Warnings(silentLogger), silentLogger)
  const open = (number: number): BayeuxSession => {
    const session = new BayeuxSession(String(number), 'gms1', 'long-polling', 'b')
    chats.publish(chatChannel(decisions.chatService), {operation: 'requestChat', nickname: String(number)}, session)
    return session
  }
  open(1)
  for (let number = 2; number <= 1500; number += 1) open(number).remove()
  const living = chats.chats.filter(({ended}) => !ended)
  expect(living.length).toBeLessThanOrEqual(1101)
  expect(living.length).toBeGreaterThan(1000)
  expect(living[0]?.number).toBe(1)
  expect(living.at(-1)?.number).toBe(1500)
})
