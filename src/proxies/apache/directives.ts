/**
 * Directives of the modules of httpd 2.4, by module (without `mod_`), as `httpd -L` of 2.4.71 lists them; of modules that run code or ask other
 * services from the manual (https://httpd.apache.org/docs/2.4/mod/directives.html). Names compare without regard to case.
 */
export const DIRECTIVES: Readonly<Record<string, string>> = {
  access_compat: 'allow deny order Satisfy',
  actions: 'Action Script',
  alias:
    'Alias AliasMatch AliasPreservePath Redirect RedirectMatch RedirectPermanent RedirectRelative RedirectTemp ScriptAlias ScriptAliasMatch',
  allowmethods: 'AllowMethods',
  auth_basic: 'AuthBasicAuthoritative AuthBasicFake AuthBasicProvider AuthBasicUseDigestAlgorithm',
  auth_digest:
    'AuthDigestAlgorithm AuthDigestDomain AuthDigestNcCheck AuthDigestNonceFormat AuthDigestNonceLifetime AuthDigestProvider AuthDigestQop AuthDigestShmemSize',
  auth_form:
    'AuthFormAuthoritative AuthFormBody AuthFormDisableNoStore AuthFormFakeBasicAuth AuthFormLocation AuthFormLoginRequiredLocation AuthFormLoginSuccessLocation AuthFormLogoutLocation AuthFormMethod AuthFormMimetype AuthFormPassword AuthFormProvider AuthFormSitePassphrase AuthFormSize AuthFormUsername',
  authn_anon: 'Anonymous Anonymous_LogEmail Anonymous_MustGiveEmail Anonymous_NoUserId Anonymous_VerifyEmail',
  authn_core: 'AuthName AuthnProviderAlias AuthType',
  authn_dbd: 'AuthDBDUserPWQuery AuthDBDUserRealmQuery',
  authn_dbm: 'AuthDBMType AuthDBMUserFile',
  authn_file: 'AuthUserFile',
  authn_socache: 'AuthnCacheContext AuthnCacheEnable AuthnCacheProvideFor AuthnCacheSOCache AuthnCacheTimeout',
  authnz_fcgi: 'AuthnzFcgiCheckAuthnProvider AuthnzFcgiDefineProvider',
  authnz_ldap:
    'AuthLDAPAuthorizePrefix AuthLDAPBindAuthoritative AuthLDAPBindDN AuthLDAPBindPassword AuthLDAPCharsetConfig AuthLDAPCompareAsUser AuthLDAPCompareDNOnServer AuthLDAPDereferenceAliases AuthLDAPGroupAttribute AuthLDAPGroupAttributeIsDN AuthLDAPInitialBindAsUser AuthLDAPInitialBindPattern AuthLDAPMaxSubGroupDepth AuthLDAPRemoteUserAttribute AuthLDAPRemoteUserIsDN AuthLDAPSearchAsUser AuthLDAPSubGroupAttribute AuthLDAPSubGroupClass AuthLDAPURL',
  authz_core: 'AuthMerging AuthzProviderAlias AuthzSendForbiddenOnFailure Require RequireAll RequireAny RequireNone',
  authz_dbd: 'AuthzDBDLoginToReferer AuthzDBDQuery AuthzDBDRedirectQuery',
  authz_dbm: 'AuthDBMGroupFile AuthzDBMType',
  authz_groupfile: 'AuthGroupFile',
  autoindex:
    'AddAlt AddAltByEncoding AddAltByType AddDescription AddIcon AddIconByEncoding AddIconByType DefaultIcon FancyIndexing HeaderName IndexHeadInsert IndexIgnore IndexIgnoreReset IndexOptions IndexOrderDefault IndexStyleSheet ReadmeName',
  brotli: 'BrotliAlterETag BrotliCompressionMaxInputBlock BrotliCompressionQuality BrotliCompressionWindow BrotliFilterNote',
  buffer: 'BufferSize',
  cache:
    'CacheDefaultExpire CacheDetailHeader CacheDisable CacheEnable CacheHeader CacheIgnoreCacheControl CacheIgnoreHeaders CacheIgnoreNoLastMod CacheIgnoreQueryString CacheIgnoreURLSessionIdentifiers CacheKeyBaseURL CacheLastModifiedFactor CacheLock CacheLockMaxAge CacheLockPath CacheMaxExpire CacheMinExpire CacheQuickHandler CacheStaleOnError CacheStoreExpired CacheStoreNoStore CacheStorePrivate',
  cache_disk: 'CacheDirLength CacheDirLevels CacheMaxFileSize CacheMinFileSize CacheReadSize CacheReadTime CacheRoot',
  cache_socache: 'CacheSocache CacheSocacheMaxSize CacheSocacheMaxTime CacheSocacheMinTime CacheSocacheReadSize CacheSocacheReadTime',
  cern_meta: 'MetaDir MetaFiles MetaSuffix',
  cgi: 'CGIScriptTimeout ScriptLog ScriptLogBuffer ScriptLogLength',
  cgid: 'CGIDScriptTimeout ScriptLog ScriptLogBuffer ScriptLogLength ScriptSock',
  charset_lite: 'CharsetDefault CharsetOptions CharsetSourceEnc',
  core: 'AcceptFilter AcceptPathInfo AccessFileName AddDefaultCharset AllowEncodedSlashes AllowOverride AllowOverrideList CGIPassAuth CGIVar ContentDigest CoreDumpDirectory DefaultRuntimeDir DefaultType Define Directory DirectoryMatch DocumentRoot Else ElseIf EnableMMAP EnableSendfile Error ErrorDocument ErrorLog ErrorLogFormat ExtendedStatus FileETag Files FilesMatch FlushMaxPipelined FlushMaxThreshold ForceType HostnameLookups HttpProtocolOptions If IfDefine IfDirective IfFile IfModule IfSection Include IncludeOptional KeepAlive KeepAliveTimeout Limit LimitExcept LimitInternalRecursion LimitRequestBody LimitRequestFields LimitRequestFieldsize LimitRequestLine LimitXMLRequestBody LoadFile LoadModule Location LocationMatch LogLevel MaxConnectionsPerChild MaxKeepAliveRequests MaxMemFree MaxRangeOverlaps MaxRangeReversals MaxRanges MaxRequestsPerChild MergeSlashes MergeTrailers Mutex NameVirtualHost Options PidFile Port Protocol Protocols ProtocolsHonorOrder QualifyRedirectURL ReadBufferSize RegexDefaultOptions RegisterHttpMethod RLimitCPU RLimitMEM RLimitNPROC ScoreBoardFile SeeRequestTail ServerAdmin ServerAlias ServerName ServerPath ServerRoot ServerSignature ServerTokens SetHandler SetInputFilter SetOutputFilter StrictHostCheck ThreadStackSize Timeout TraceEnable UnDefine UseCanonicalName UseCanonicalPhysicalPort VirtualHost',
  dav: 'DAV DAVBasePath DAVDepthInfinity DAVLockDiscovery DAVMinTimeout',
  dav_fs: 'DAVLockDB',
  dav_lock: 'DAVGenericLockDB',
  dbd: 'DBDExptime DBDInitSQL DBDKeep DBDMax DBDMin DBDParams DBDPersist DBDPrepareSQL DBDriver',
  deflate:
    'DeflateAlterEtag DeflateBufferSize DeflateCompressionLevel DeflateFilterNote DeflateInflateLimitRequestBody DeflateInflateRatioBurst DeflateInflateRatioLimit DeflateMemLevel DeflateWindowSize',
  dialup: 'ModemStandard',
  dir: 'DirectoryCheckHandler DirectoryIndex DirectoryIndexRedirect DirectorySlash FallbackResource',
  dumpio: 'DumpIOInput DumpIOOutput',
  echo: 'ProtocolEcho',
  env: 'PassEnv SetEnv UnsetEnv',
  expires: 'ExpiresActive ExpiresByType ExpiresDefault',
  ext_filter: 'ExtFilterDefine ExtFilterOptions',
  file_cache: 'cachefile mmapfile',
  filter: 'AddOutputFilterByType FilterChain FilterDeclare FilterProtocol FilterProvider FilterTrace',
  headers: 'Header RequestHeader',
  heartbeat: 'HeartbeatAddress',
  heartmonitor: 'HeartbeatListen HeartbeatMaxServers HeartbeatStorage',
  http2:
    'H2CopyFiles H2Direct H2EarlyHint H2EarlyHints H2MaxDataFrameLen H2MaxHeaderBlockLen H2MaxSessionStreams H2MaxStreamErrors H2MaxWorkerIdleSeconds H2MaxWorkers H2MinWorkers H2ModernTLSOnly H2OutputBuffering H2Padding H2ProxyRequests H2Push H2PushDiarySize H2PushPriority H2PushResource H2SerializeHeaders H2SessionExtraFiles H2StreamMaxMemSize H2StreamTimeout H2TLSCoolDownSecs H2TLSWarmUpSize H2Upgrade H2WebSockets H2WindowSize',
  ident: 'IdentityCheck IdentityCheckTimeout',
  imagemap: 'ImapBase ImapDefault ImapMenu',
  include: 'SSIEndTag SSIErrorMsg SSIEtag SSILastModified SSILegacyExprParser SSIStartTag SSITimeFormat SSIUndefinedEcho XBitHack',
  info: 'AddModuleInfo',
  lbmethod_heartbeat: 'HeartbeatStorage',
  ldap: 'LDAPCacheEntries LDAPCacheTTL LDAPConnectionPoolTTL LDAPConnectionTimeout LDAPLibraryDebug LDAPOpCacheEntries LDAPOpCacheTTL LDAPReferralHopLimit LDAPReferrals LDAPRetries LDAPRetryDelay LDAPSharedCacheFile LDAPSharedCacheSize LDAPTimeout LDAPTrustedClientCert LDAPTrustedGlobalCert LDAPTrustedMode LDAPVerifyServerCert',
  log_config: 'BufferedLogs CustomLog GlobalLog LogFormat TransferLog',
  log_debug: 'LogMessage',
  log_forensic: 'ForensicLog',
  logio: 'LogIOTrackTTFB',
  lua: 'LuaAuthzProvider LuaCodeCache LuaHookAccessChecker LuaHookAuthChecker LuaHookCheckUserID LuaHookFixups LuaHookInsertFilter LuaHookLog LuaHookMapToStorage LuaHookPreTranslate LuaHookPreTranslateName LuaHookTranslateName LuaHookTypeChecker LuaInherit LuaInputFilter LuaMapHandler LuaOutputFilter LuaPackageCPath LuaPackagePath LuaQuickHandler LuaRoot LuaScope',
  macro: 'Macro MacroIgnoreBadNesting MacroIgnoreEmptyArgs UndefMacro Use',
  md: 'ManagedDomain MDActivationDelay MDBaseServer MDCACertificateFile MDCAChallenges MDCertificateAgreement MDCertificateAuthority MDCertificateCheck MDCertificateFile MDCertificateKeyFile MDCertificateMonitor MDCertificateProtocol MDCertificateStatus MDChallengeDns01 MDChallengeDns01Version MDCheckInterval MDContactEmail MDDriveMode MDExternalAccountBinding MDHttpProxy MDHttpProxyCACertificateFile MDInitialDelay MDMatchNames MDMember MDMembers MDMessageCmd MDMustStaple MDNotifyCmd MDomain MDomainSet MDPortMap MDPrivateKeys MDProfile MDProfileMandatory MDRenewMode MDRenewViaARI MDRenewWindow MDRequireHttps MDRetryDelay MDRetryFailover MDServerStatus MDStapleOthers MDStapling MDStaplingKeepResponse MDStaplingRenewWindow MDStaplingsRenewWindow MDStoreDir MDStoreLocks MDWarnWindow',
  mime: 'AddCharset AddEncoding AddHandler AddInputFilter AddLanguage AddOutputFilter AddType DefaultLanguage ModMimeUsePathInfo MultiviewsMatch RemoveCharset RemoveEncoding RemoveHandler RemoveInputFilter RemoveLanguage RemoveOutputFilter RemoveType TypesConfig',
  mime_magic: 'MimeMagicFile',
  mpm_event:
    'AsyncRequestWorkerFactor GracefulShutdownTimeout Listen ListenBacklog ListenCoresBucketsRatio ListenTCPDeferAccept MaxClients MaxRequestWorkers MaxSpareThreads MinSpareThreads ReceiveBufferSize SendBufferSize ServerLimit StartServers ThreadLimit ThreadsPerChild',
  negotiation: 'CacheNegotiatedDocs ForceLanguagePriority LanguagePriority',
  privileges: 'DTracePrivileges PrivilegesMode VHostCGIMode VHostCGIPrivs VHostGroup VHostPrivs VHostSecure VHostUser',
  proxy:
    'BalancerGrowth BalancerInherit BalancerMember BalancerPersist NoProxy Proxy Proxy100Continue ProxyAddHeaders ProxyBadHeader ProxyBlock ProxyDomain ProxyErrorOverride ProxyIOBufferSize ProxyMatch ProxyMaxForwards ProxyPass ProxyPassInherit ProxyPassInterpolateEnv ProxyPassMatch ProxyPassReverse ProxyPassReverseCookieDomain ProxyPassReverseCookiePath ProxyPreserveHost ProxyReceiveBufferSize ProxyRemote ProxyRemoteMatch ProxyRequests ProxySet ProxySourceAddress ProxyStatus ProxyTimeout ProxyVia',
  proxy_connect: 'AllowCONNECT',
  proxy_express: 'ProxyExpressDBMFile ProxyExpressDBMType ProxyExpressEnable',
  proxy_fcgi: 'ProxyFCGIBackendType ProxyFCGISetEnvIf',
  proxy_ftp: 'ProxyFtpDirCharset ProxyFtpEscapeWildcards ProxyFtpListOnWildcard',
  proxy_hcheck: 'ProxyHCExpr ProxyHCTemplate ProxyHCTPsize',
  proxy_html:
    'ProxyHTMLBufSize ProxyHTMLCharsetOut ProxyHTMLDoctype ProxyHTMLEnable ProxyHTMLEvents ProxyHTMLExtended ProxyHTMLFixups ProxyHTMLInterp ProxyHTMLLinks ProxyHTMLMeta ProxyHTMLStripComments ProxyHTMLURLMap',
  proxy_scgi: 'ProxySCGIInternalRedirect ProxySCGISendfile',
  proxy_wstunnel: 'ProxyWebsocketFallbackToProxyHttp',
  reflector: 'ReflectorHeader',
  remoteip:
    'RemoteIPHeader RemoteIPInternalProxy RemoteIPInternalProxyList RemoteIPProxiesHeader RemoteIPProxyProtocol RemoteIPProxyProtocolExceptions RemoteIPTrustedProxy RemoteIPTrustedProxyList',
  reqtimeout: 'RequestReadTimeout',
  request: 'KeptBodySize',
  rewrite: 'RewriteBase RewriteCond RewriteEngine RewriteMap RewriteOptions RewriteRule',
  sed: 'InputSed OutputSed',
  session: 'Session SessionEnv SessionExclude SessionExpiryUpdateInterval SessionHeader SessionInclude SessionMaxAge',
  session_cookie: 'SessionCookieName SessionCookieName2 SessionCookieRemove',
  session_crypto: 'SessionCryptoCipher SessionCryptoDriver SessionCryptoPassphrase SessionCryptoPassphraseFile',
  session_dbd:
    'SessionDBDCookieName SessionDBDCookieName2 SessionDBDCookieRemove SessionDBDDeleteLabel SessionDBDInsertLabel SessionDBDPerUser SessionDBDSelectLabel SessionDBDUpdateLabel',
  setenvif: 'BrowserMatch BrowserMatchNoCase SetEnvIf SetEnvIfExpr SetEnvIfNoCase',
  socache_memcache: 'MemcacheConnTTL',
  socache_redis: 'RedisConnPoolTTL RedisTimeout',
  speling: 'CheckBasenameMatch CheckCaseOnly CheckSpelling',
  ssl: 'SSLCACertificateFile SSLCACertificatePath SSLCADNRequestFile SSLCADNRequestPath SSLCARevocationCheck SSLCARevocationFile SSLCARevocationPath SSLCertificateChainFile SSLCertificateFile SSLCertificateKeyFile SSLCipherSuite SSLCompression SSLCryptoDevice SSLEngine SSLFIPS SSLHonorCipherOrder SSLInsecureRenegotiation SSLLog SSLLogLevel SSLOCSPDefaultResponder SSLOCSPEnable SSLOCSPNoVerify SSLOCSPOverrideResponder SSLOCSPProxyURL SSLOCSPResponderCertificateFile SSLOCSPResponderTimeout SSLOCSPResponseMaxAge SSLOCSPResponseTimeSkew SSLOCSPUseRequestNonce SSLOpenSSLConfCmd SSLOptions SSLPassPhraseDialog SSLProtocol SSLProxyCACertificateFile SSLProxyCACertificatePath SSLProxyCARevocationCheck SSLProxyCARevocationFile SSLProxyCARevocationPath SSLProxyCheckPeerCN SSLProxyCheckPeerExpire SSLProxyCheckPeerName SSLProxyCipherSuite SSLProxyEngine SSLProxyMachineCertificateChainFile SSLProxyMachineCertificateFile SSLProxyMachineCertificatePath SSLProxyProtocol SSLProxyVerify SSLProxyVerifyDepth SSLRandomSeed SSLRenegBufferSize SSLRequire SSLRequireSSL SSLSessionCache SSLSessionCacheTimeout SSLSessionTicketKeyFile SSLSessionTickets SSLSRPUnknownUserSeed SSLSRPVerifierFile SSLStaplingCache SSLStaplingErrorCacheTimeout SSLStaplingFakeTryLater SSLStaplingForceURL SSLStaplingResponderTimeout SSLStaplingResponseMaxAge SSLStaplingResponseTimeSkew SSLStaplingReturnResponderErrors SSLStaplingStandardCacheTimeout SSLStrictSNIVHostCheck SSLUserName SSLUseStapling SSLVerifyClient SSLVerifyDepth SSLVHostSNIPolicy',
  substitute: 'Substitute SubstituteInheritBefore SubstituteMaxLineLength',
  suexec: 'SuexecUserGroup',
  systemd: 'IdleShutdown',
  unixd: 'ChrootDir Group Suexec User',
  userdir: 'UserDir',
  usertrack: 'CookieDomain CookieExpires CookieHttpOnly CookieName CookieSameSite CookieSecure CookieStyle CookieTracking',
  version: 'IfVersion',
  vhost_alias: 'VirtualDocumentRoot VirtualDocumentRootIP VirtualScriptAlias VirtualScriptAliasIP',
  watchdog: 'WatchdogInterval',
  xml2enc: 'xml2EncAlias xml2EncDefault xml2StartParse',
}

/** Directives of Apache 2.2 and before that 2.4 does not start with (https://httpd.apache.org/docs/2.4/upgrading.html). */
export const REMOVED: Readonly<Record<string, string>> = {
  AcceptMutex: 'Mutex has taken its place',
  LockFile: 'Mutex has taken its place',
  SSLMutex: 'Mutex has taken its place',
  RewriteLock: 'Mutex has taken its place',
  RewriteLog: 'LogLevel rewrite:trace3 has taken its place',
  RewriteLogLevel: 'LogLevel rewrite:trace3 has taken its place',
  CookieLog: 'CustomLog has taken its place',
  AuthDefaultAuthoritative: 'the order of the providers has taken its place',
  AuthzDefaultAuthoritative: 'Require has taken its place',
  AuthzUserAuthoritative: 'Require has taken its place',
  AuthzHostAuthoritative: 'Require has taken its place',
  AuthzOwnerAuthoritative: 'Require has taken its place',
  AuthzGroupFileAuthoritative: 'Require has taken its place',
  AuthzDBMAuthoritative: 'Require has taken its place',
  ResourceConfig: 'Include has taken its place',
  AccessConfig: 'Include has taken its place',
  BindAddress: 'Listen has taken its place',
  ServerType: 'httpd always runs alone',
}

/**
 * Directives that came within 2.4, after 2.4.37: "Compatibility" of the manual (https://httpd.apache.org/docs/2.4/mod/directives.html); those of
 * 2.4.63 are what `httpd -L` of 2.4.62 does not list and that of 2.4.68 does. What distributions put into older releases (`MergeSlashes`) is left
 * out.
 */
const SINCE: Readonly<Record<string, string>> = {
  '2.4.48': 'ProxyWebsocketFallbackToProxyHttp',
  '2.4.49': 'StrictHostCheck',
  '2.4.58': 'AliasPreservePath RedirectRelative H2WebSockets',
  '2.4.63':
    'H2MaxHeaderBlockLen H2MaxStreamErrors MDInitialDelay MDProfile MDProfileMandatory MDRenewViaARI MacroIgnoreBadNesting MacroIgnoreEmptyArgs SSLVHostSNIPolicy',
}

/** Lower-case names of directives with the release that they came with. */
export const LATER: ReadonlyMap<string, string> = new Map(
  Object.entries(SINCE).flatMap(([since, names]) => names.split(' ').map(name => [name.toLowerCase(), since] as const)),
)
