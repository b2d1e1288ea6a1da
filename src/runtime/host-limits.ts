/**
 * What a proxy says when this machine, not the file, is at fault (CLI contract, section 7): such a message makes the subject errored,
 * never a finding. Wordings of nginx 1.22 and 1.26, Apache 2.4 and HAProxy 2.6 and 3.0, and of strerror(3).
 */
const HOST_LIMITS: readonly {says: RegExp; because: string; advice: string}[] = [
  {says: /address already in use|AH00072|AH00451|\(98\)/i, because: 'a port is in use', advice: 'run it again, or stop what listens there'},
  {
    says: /permission denied|operation not permitted|\(13:|\(1: /i,
    because: 'a privilege is missing',
    advice: 'let the user that runs gms-proxy read the file named, or use --runtime docker',
  },
  {
    says: /FD limit|too many open files|RLIMIT_NOFILE|setrlimit|cannot raise|ulimit-n/i,
    because: 'the limit of file descriptors is too low',
    advice: 'raise it with ulimit -n',
  },
  {
    says: /cannot allocate memory|out of memory|no space left|resource temporarily unavailable/i,
    because: 'memory, disk or processes have run out',
    advice: 'free some and run it again',
  },
  {
    says: /cannot open shared object file|dlopen\(\)|is not binary compatible|built with a different|module .* is not compatible/i,
    because: 'a module of this build is missing',
    advice: 'install the module, or run another build with --binary or --image',
  },
  {
    says: /unknown directive "(?:sticky|zone_sync|health_check|js_\w+|lua_\w+|more_\w+_headers|brotli\w*|zstd\w*|auth_jwt\w*|upstream_conf|status_zone|state|ntlm|least_time|queue|set_real_ip_from|real_ip_\w+|stub_status|ssl_\w+|http2\w*|http3\w*|quic\w*|geoip2?\w*|perl\w*|image_filter\w*|xslt\w*|headers_more\w*|echo\w*|push_\w+)"/,
    because: 'this build is too old for it, or lacks a module',
    advice:
      'run the version that the file is for with --binary or --image (gms-proxy render writes for the one in --proxy-version), or install the module',
  },
  {
    says: /requires .*(?:SSL|TLS|Lua|QUIC).* support|not (?:been )?(?:built|compiled) with|rebuild with|was not compiled|support (?:is )?not (?:built|compiled)|missing .* support/i,
    because: 'this build lacks a feature',
    advice: 'run another build with --binary or --image',
  },
  {
    says: /host not found in (?:upstream|resolver)|could not resolve (?:host|address)|Name or service not known|Temporary failure in name resolution|DNS lookup failure/i,
    because: 'a name cannot be resolved here',
    advice: 'run it where the name is known',
  },
  {
    says: /cannot assign requested address|address family not supported|protocol not supported/i,
    because: 'an address or protocol does not exist here',
    advice: 'use --runtime docker, or change the address',
  },
]

/** Why this machine is to blame for a message; `undefined` when it is not. */
export function hostLimit(text: string): {because: string; advice: string} | undefined {
  return HOST_LIMITS.find(({says}) => says.test(text))
}

/** True when a port was taken between its choice and its use: worth another try. */
export function isPortTaken(text: string): boolean {
  return /address already in use|AH00072/i.test(text)
}
