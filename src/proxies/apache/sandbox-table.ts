/**
 * What is done to one directive so that a configuration runs without privileges, writes nothing outside the sandbox and runs no code.
 * - `set`: all its arguments become `value`.
 * - `path`: its first argument becomes `value`, other arguments stay; `last`: the same for its last argument.
 * - `instead`: `value` is the whole directive that stands in its place.
 * - `keep`: it stays as it is.
 * - `remove`: the directive is commented out.
 * - `refuse`: the configuration runs only with `--allow-exec`.
 *
 * `{folder}` is the sandbox; `{authority}`, `{certificate}`, `{key}` and `{bundle}` are the throw-away ones of the run: where nothing speaks TLS,
 * such a row comments the directive out. With `when`, a row is for directives one of whose arguments matches; the first row that fits decides.
 * A row of a `section` is for `<Name …>`.
 */
export interface SandboxRow {
  directive: string | RegExp
  op: 'set' | 'path' | 'last' | 'instead' | 'keep' | 'remove' | 'refuse'
  value?: string
  when?: RegExp
  /** The same for the first argument alone. */
  first?: RegExp
  section?: boolean
  /** A `refuse` that becomes a `remove` where the configuration loads its own modules and none of them runs programs: the directive has no effect there. */
  inertWithoutCgi?: boolean
  why: string
}

const LOGS = 'logs are kept in the sandbox'
const PIPE = 'a piped log starts a program'
const PRIVILEGE = 'needs a privilege that the sandbox does not have'
const TLS_FILES = 'no authority is asked in the sandbox, and no file read that is not beside the configuration'
const SIGNED = 'the throw-away authority has signed the certificates of the simulated nodes'
const THROW_AWAY = 'a throw-away certificate of this run: keys of the deployment are not read'
const WRITES = 'would write files outside the sandbox'

/** The sandbox of Apache httpd 2.4 (directive index at httpd.apache.org/docs/2.4/mod/directives.html: every directive that runs code, writes a file or needs a privilege). */
export const SANDBOX: readonly SandboxRow[] = [
  {directive: /^(?:Error|Custom|Transfer|Forensic|Global|Cookie|Script|Rewrite)Log$/i, op: 'refuse', when: /^\s*\|/, why: PIPE},
  {directive: 'ErrorLog', op: 'set', value: '"{folder}/error.log"', why: LOGS},
  {directive: /^(?:Custom|Transfer|Global)Log$/i, op: 'path', value: '"{folder}/access.log"', why: LOGS},
  {directive: 'ForensicLog', op: 'path', value: '"{folder}/forensic.log"', why: LOGS},
  {directive: 'BufferedLogs', op: 'set', value: 'Off', why: 'logs are written at once'},
  {directive: /^(?:ScriptLog|RewriteLog|RewriteLogLevel|CookieLog)$/i, op: 'remove', why: LOGS},

  {directive: 'ServerRoot', op: 'set', value: '"{folder}"', why: 'relative paths stay in the sandbox'},
  {directive: 'DefaultRuntimeDir', op: 'set', value: '"{folder}"', why: 'files of the running server are kept in the sandbox'},
  {directive: 'PidFile', op: 'set', value: '"{folder}/httpd.pid"', why: 'the process id is kept in the sandbox'},
  {directive: /^(?:ScoreBoardFile|CoreDumpDirectory|GprofDir|CacheLockPath|HeartbeatStorage)$/i, op: 'remove', why: WRITES},
  {directive: 'Mutex', op: 'set', value: '"file:{folder}" default', when: /:/, why: 'locks are kept in the sandbox'},
  {directive: 'CacheRoot', op: 'set', value: '"{folder}"', why: 'caches are kept in the sandbox'},
  {directive: /^(?:DavLockDB|DavGenericLockDB|MDStoreDir)$/i, op: 'path', value: '"{folder}/locks"', why: 'locks are kept in the sandbox'},
  {directive: /^(?:AuthnCacheSOCache|CacheSocache)$/i, op: 'remove', when: /^dbm/i, why: WRITES},
  {directive: 'DocumentRoot', op: 'set', value: '"{folder}/gms-proxy-htdocs"', why: 'chat needs no files: none of this machine are served'},
  {
    directive: /^Alias(?:Match)?$/i,
    op: 'last',
    value: '"{folder}/gms-proxy-htdocs"',
    why: 'chat needs no files: none of this machine are served',
  },
  {
    directive: /^(?:UserDir|Virtual(?:DocumentRoot|ScriptAlias)(?:IP)?|MetaDir|MetaFiles|CacheFile|MMapFile)$/i,
    op: 'remove',
    why: 'chat needs no files: none of this machine are served',
  },
  {directive: 'HostnameLookups', op: 'set', value: 'Off', why: 'no name is looked up in the sandbox'},
  {directive: 'IdentityCheck', op: 'set', value: 'Off', why: 'reaches out of the sandbox'},
  {directive: 'TypesConfig', op: 'set', value: '"{folder}/gms-proxy-mime.types"', why: 'media types are part of the sandbox'},
  {directive: 'MIMEMagicFile', op: 'remove', why: 'chat needs no files'},
  {directive: 'AllowOverride', op: 'set', value: 'None', why: 'no .htaccess of this machine is read'},
  {directive: 'AllowOverrideList', op: 'remove', why: 'no .htaccess of this machine is read'},

  {
    directive: /^(?:ChrootDir|SuexecUserGroup|Suexec|VHostUser|VHostGroup|AssignUserID|PrivilegesMode|RLimit(?:CPU|MEM|NPROC))$/i,
    op: 'remove',
    why: PRIVILEGE,
  },
  {
    directive: /^(?:ProxyRemote|ProxyRemoteMatch|ProxySourceAddress)$/i,
    op: 'remove',
    why: 'the simulated nodes are on this machine: requests go to them directly',
  },

  {
    directive: 'SSLPassPhraseDialog',
    op: 'remove',
    when: /^exec:\/usr\/(?:share\/apache2\/ask-for-passphrase|libexec\/httpd-ssl-pass-dialog)$/,
    why: TLS_FILES,
  },
  {directive: 'SSLPassPhraseDialog', op: 'refuse', when: /^(?:exec:|\|)/i, why: 'starts a program'},
  {directive: 'SSLRandomSeed', op: 'refuse', when: /^exec:/i, why: 'starts a program'},
  {directive: 'SSLOpenSSLConfCmd', op: 'remove', first: /^DHParameters$/i, why: TLS_FILES},
  {
    directive: 'SSLOpenSSLConfCmd',
    op: 'keep',
    first: /^(?:Curves|Groups|ECDHParameters|(?:Client)?SignatureAlgorithms|CipherString|Ciphersuites|(?:Min|Max)?Protocol|Options)$/i,
    why: 'only chooses among what OpenSSL can do',
  },
  {directive: /^(?:SSLCryptoDevice|SSLOpenSSLConfCmd)$/i, op: 'refuse', why: 'may load code into the server, or read files'},
  {directive: 'SSLProxyCACertificateFile', op: 'set', value: '"{authority}"', why: SIGNED},
  {directive: 'SSLProxyCACertificatePath', op: 'instead', value: 'SSLProxyCACertificateFile "{authority}"', why: SIGNED},
  {directive: /^SSLProxyCARevocation\w*$/i, op: 'remove', why: 'the throw-away authority has revoked nothing'},
  {directive: 'SSLProxyMachineCertificateFile', op: 'set', value: '"{bundle}"', why: THROW_AWAY},
  {directive: 'SSLProxyMachineCertificatePath', op: 'instead', value: 'SSLProxyMachineCertificateFile "{bundle}"', why: THROW_AWAY},
  {directive: 'SSLProxyMachineCertificateChainFile', op: 'set', value: '"{authority}"', why: THROW_AWAY},
  {
    directive:
      /^SSL(?:Proxy)?(?:Certificate|CACertificate|CADN|CARevocation|MachineCertificate|OCSP|Stapling|Use|SRP|SessionTicketKey)\w*$/i,
    op: 'remove',
    why: TLS_FILES,
  },
  {directive: /^SSL(?:SessionCache|StaplingCache|Mutex|PassPhraseDialog|KeyLog\w*)$/i, op: 'remove', why: WRITES},

  {directive: 'LoadFile', op: 'refuse', why: 'loads code into the server'},
  {directive: 'RewriteMap', op: 'refuse', when: /^(?:prg|dbd|fastdbd):/i, why: 'starts a program, or asks a database'},
  {directive: /^(?:Input|Output)Sed$/i, op: 'refuse', why: 'its scripts read and write files'},
  {directive: /^(?:AuthLDAP|LDAP)\w*$/i, op: 'refuse', why: 'reaches out of the sandbox'},
  {directive: /^(?:DOSSystemCommand|DOSEmailNotify|DOSLogDir)$/i, op: 'refuse', why: 'starts a program'},
  {directive: /^ExtFilter(?:Define|Options)$/i, op: 'refuse', why: 'starts a program'},
  {
    directive: /^(?:Action|Script|ScriptSock|ScriptInterpreterSource|CGIDScriptTimeout|CGIMapExtension)$/i,
    op: 'refuse',
    why: 'runs CGI programs',
  },
  {
    directive: /^(?:SetHandler|AddHandler|ForceType|AddType|SetInputFilter|SetOutputFilter|AddInputFilter|AddOutputFilter|RewriteRule)$/i,
    op: 'refuse',
    when: /(?:cgi|fcgid|fastcgi|perl|lua|wsgi|python)-(?:script|handler|program)|application\/x-httpd-(?:php|cgi)|x-httpd-php|isapi-handler/i,
    why: 'runs programs for requests',
  },
  {directive: 'Options', op: 'refuse', inertWithoutCgi: true, when: /^\+?ExecCGI$/i, why: 'runs CGI programs'},
  {directive: /^ScriptAlias(?:Match)?$/i, op: 'refuse', inertWithoutCgi: true, why: 'runs CGI programs'},
  {directive: /^(?:Lua\w+|Quantum\w*Lua\w*)$/i, op: 'refuse', why: 'runs Lua code'},
  {directive: /^Lua/i, section: true, op: 'refuse', why: 'runs Lua code'},
  {directive: /^(?:Perl\w*|=pod|=cut|__END__)$/i, op: 'refuse', why: 'runs Perl code'},
  {directive: /^Perl/i, section: true, op: 'refuse', why: 'runs Perl code'},
  {directive: /^(?:php\d*_(?:admin_)?(?:value|flag)|PHPIniDir)$/i, op: 'refuse', why: 'runs PHP code'},
  {
    directive: /^(?:WSGI|Passenger|Python|Fcgid|FastCgi|Rails|Mono|Tcl|Ruby|Mruby)\w*$/i,
    op: 'refuse',
    why: 'starts an application server or runs its code',
  },
  {
    directive: /^(?:AuthnzFcgi\w*|DBD\w*|Auth[nz]?DBD\w*|AuthExternal|DefineExternalAuth|AddExternalAuth|GroupExternal)$/i,
    op: 'refuse',
    why: 'starts a program, or reaches out of the sandbox',
  },
  {directive: /^MD(?:NotifyCmd|MessageCmd|ChallengeDns01|ExternalAccountBinding)$/i, op: 'refuse', why: 'starts a program'},
  {
    directive: /^(?:MDomain|MDomainSet|ManagedDomain|MDCertificateAuthority|HeartbeatListen|HeartbeatAddress)$/i,
    op: 'refuse',
    why: 'reaches out of the sandbox',
  },
  {directive: /^(?:MDomain|MDomainSet|ManagedDomain)/i, section: true, op: 'refuse', why: 'reaches out of the sandbox'},
  {
    directive: /^Sec(?:RuleScript|AuditLog\w*|DebugLog|DataDir|TmpDir|UploadDir|GuardianLog|RemoteRules\w*|ChrootDir)$/i,
    op: 'refuse',
    why: 'starts a program, or writes outside the sandbox',
  },
  {directive: /^Sec(?:Rule|Action|DefaultAction)$/i, op: 'refuse', when: /\bexec:/i, why: 'starts a program'},
  {directive: /./, op: 'refuse', when: /^exec:/i, why: 'starts a program'},
  {directive: 'Macro', section: true, op: 'refuse', why: 'what a macro becomes cannot be followed: write it out'},
  {directive: 'Use', op: 'refuse', why: 'what a macro becomes cannot be followed: write it out'},
  {directive: /^(?:ProtocolEcho|ProxyFCGI\w*|ProxyExpress\w*)$/i, op: 'remove', why: 'reaches out of the sandbox'},
]

/** Modules that run programs or code, or reach out, by the name of their file. */
export const EXECUTING_MODULES =
  /^(?:mod_(?:cgi|cgid|ext_filter|lua|perl|php\d*|python|wsgi|passenger|fcgid|fastcgi|authnz_fcgi|authnz_external|dbd|authn_dbd|authz_dbd|session_dbd|md|security\d*|heartbeat|heartmonitor|tcl|ruby|mruby|mono)|lib(?:php|apreq)\w*)$/i

/** Modules of the httpd distribution: what their directives do is known. */
export const KNOWN_MODULES =
  /^mod_(?:access_compat|actions|alias|allowmethods|asis|auth_(?:basic|digest|form)|authn_(?:anon|core|dbm|file|socache)|authnz_ldap|authz_(?:core|dbm|groupfile|host|owner|user)|autoindex|brotli|bucketeer|buffer|cache(?:_disk|_socache)?|case_filter(?:_in)?|cern_meta|charset_lite|data|dav(?:_fs|_lock)?|deflate|dialup|dir|dumpio|echo|env|expires|file_cache|filter|headers|http|http2|ident|imagemap|include|info|lbmethod_\w+|ldap|log_(?:config|debug|forensic)|logio|macro|mime(?:_magic)?|mpm_(?:event|worker|prefork)|negotiation|optional_\w+|proxy(?:_(?:ajp|balancer|connect|express|fcgi|fdpass|ftp|hcheck|html|http|http2|scgi|uwsgi|wstunnel))?|ratelimit|reflector|remoteip|reqtimeout|request|rewrite|sed|session(?:_cookie|_crypto)?|setenvif|slotmem_(?:plain|shm)|so|socache_(?:dbm|memcache|redis|shmcb)|speling|ssl|status|substitute|suexec|suncc|systemd|unique_id|unixd|userdir|usertrack|version|vhost_alias|watchdog|xml2enc)$/

/** Folders in which packages and builds keep their modules; a relative `modules/` stands for the installed one. */
export const MODULE_FOLDERS =
  /^(?:modules|libexec(?:\/apache2)?|lib(?:64)?\/(?:apache2|httpd)(?:\/modules)?|\/usr\/(?:local\/)?lib(?:64)?\/(?:apache2|httpd|apache)(?:\/modules)?|\/usr\/lib\/[a-z0-9_-]+\/(?:apache2|httpd)\/modules|\/usr\/local\/(?:apache2|libexec\/apache24)(?:\/modules)?|\/etc\/(?:httpd|apache2)\/modules|\/(?:opt\/homebrew|usr\/local)\/(?:opt|lib)\/httpd(?:\/lib\/httpd)?\/modules)$/
