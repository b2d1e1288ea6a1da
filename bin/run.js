#!/usr/bin/env node
// The published entry: the program is one bundle in dist/, see src/cli/start.ts.
import '../dist/start.cjs'
