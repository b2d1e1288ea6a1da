import {PROXIES} from '../../src/proxies/index.ts'
import {importTests} from '../support/import-tests.ts'

importTests(PROXIES.nginx, [])
