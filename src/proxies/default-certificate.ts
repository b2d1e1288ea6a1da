/** Where a certificate is expected while the parameters name none; each column says so in a caveat. */
export const DEFAULT_CERTIFICATE = '/etc/ssl/certs/gms-chat.pem'
