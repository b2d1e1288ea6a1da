import {PROXIES} from '../../src/proxies/index.ts'
import {propertyTests} from '../support/property-tests.ts'

await propertyTests(PROXIES.apache)
