/** The operations of the vendor page and the parameters that a person types, each with what it is offered. */
export const OPERATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  requestChat: {nickname: 'Ada', subject: ''},
  requestNotifications: {transcriptPosition: '0'},
  sendMessage: {message: 'Hello'},
  readReceipt: {transcriptPosition: '1'},
  startTyping: {message: 'Hel'},
  stopTyping: {message: ''},
  disconnect: {},
  pushUrl: {pushUrl: 'https://www.example.com/help'},
  updateNickname: {nickname: 'Ada L.'},
  customNotice: {message: 'reading the manual'},
  updateData: {userData: 'order=4711'},
}

/** `key=value` lines as user data. */
export function userDataOf(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap(line => ((/^\s*([^=\s]+)\s*=(.*)$/.exec(line) ?? []).slice(1, 3).length === 2 ? [line] : []))
  return Object.fromEntries(pairs.map(line => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]))
}

/** `data` of an operation out of what was typed; empty fields are left out. */
export function requestOf(operation: string, typed: ReadonlyMap<string, string>): Record<string, unknown> {
  const data: Record<string, unknown> = {operation}
  for (const [name, value] of typed) {
    if (value === '') continue
    if (name === 'userData') data[name] = userDataOf(value)
    else data[name] = name === 'transcriptPosition' ? Number(value) : value
  }
  return data
}
