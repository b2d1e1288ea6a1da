/** What a page saw of one chat. */
export interface Conversation {
  negotiated: string
  said: string[]
  ended: boolean
  sentSha256: string
  downloadedSha256: string
}
