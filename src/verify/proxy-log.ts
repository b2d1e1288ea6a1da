/** Lines that speak of trouble in the three proxies' own logs: an error status, a termination state other than `----`, an error level, an AH number. */
const TELLTALE = /"\s[45]\d\d\b|\s[45]\d\d\s\d+\s|\[(?:warn|error|crit|alert|emerg)\]|\[[\w]+:(?:warn|error|crit|alert|emerg)\]|\[(?:WARNING|ALERT)\]|AH\d{5}|\s[cCsSPRILUKD][A-Z-][-A-Z]{2}\s/
const LINES = 6

/** The last few lines of a proxy's logs that may explain a failure. */
export function telltaleLines({access, error}: {access: string; error: string}): readonly string[] {
  return [...lines(error), ...lines(access)].slice(-LINES)
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter(line => TELLTALE.test(line)).slice(-LINES)
}
