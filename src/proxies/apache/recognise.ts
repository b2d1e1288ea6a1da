const SIGNS: readonly {says: RegExp; weight: number}[] = [
  {says: /^\s*<VirtualHost\b/im, weight: 0.5},
  {says: /^\s*<\/?(?:Location|Directory|Proxy|IfModule|IfDefine|LocationMatch|Files)\b[^;]*$/im, weight: 0.3},
  {says: /^\s*LoadModule\s+\w+\s+\S+\s*\\?$/im, weight: 0.4},
  {
    says: /^\s*(?:ProxyPass(?:Match|Reverse)?|BalancerMember|ProxyRequests|ProxyPreserveHost|RewriteEngine|RewriteRule|RequestHeader|ServerRoot|DocumentRoot|AllowOverride)\s+[^;]*$/im,
    weight: 0.4,
  },
  {says: /^\s*(?:Listen|ErrorLog|CustomLog|ServerName|ServerAlias)\s+[^;{}]*$/m, weight: 0.2},
]

/** How much `text` looks like httpd's dialect, 0 to 1. The name of the file only tips a balance. */
export function recognise(path: string, text: string): number {
  const said = SIGNS.filter(({says}) => says.test(text)).reduce((sum, {weight}) => sum + weight, 0)
  const named = /(?:^|\/)(?:httpd|apache2?|000-default|ports)\.conf$|sites-(?:available|enabled)\//.test(path) ? 0.2 : 0
  return Math.min(1, said === 0 ? named / 2 : said + named)
}
