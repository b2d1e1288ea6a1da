import {markup} from './html-markup.ts'

/** The whole style sheet of the page: light and dark, 400 px to paper. No value of a report stands in it. */
export const STYLE = markup`
:root {
  color-scheme: light dark;
  --paper: light-dark(#f5f6f4, #14181a);
  --card: light-dark(#ffffff, #1c2225);
  --line: light-dark(#dfe3df, #2d3539);
  --ink: light-dark(#1c2426, #e4e9e8);
  --quiet: light-dark(#566365, #9aa8aa);
  --accent: light-dark(#0b6f6b, #48c5bd);
  --client: light-dark(#3a5fc4, #8ea9ff);
  --gms: light-dark(#0b6f6b, #48c5bd);
  --good: light-dark(#23762f, #69c77c);
  --warn: light-dark(#8f4e00, #f0b35a);
  --bad: light-dark(#b52a25, #ff8078);
  --note: light-dark(#3a5fc4, #8ea9ff);
  --bad-wash: light-dark(#fbe9e7, #3a2224);
  --good-wash: light-dark(#e4f3e6, #1d3324);
  --warn-wash: light-dark(#fbf0dd, #362b1a);
  --code: light-dark(#f1f3f1, #14181a);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'Liberation Mono', monospace;
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif;
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere }
h1, h2, h3, h4, p, ul, dl, dd, pre { margin: 0; padding: 0 }
ul { list-style: none }
header, main, footer { max-width: 66rem; margin: 0 auto; padding: 0 1.25rem }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.75rem; padding-bottom: 2rem }
header { padding-top: 2rem; padding-bottom: 1.5rem }
footer { color: var(--quiet); font-size: .85rem; padding-bottom: 2rem }
h1 { font-size: 1.75rem; line-height: 1.25; letter-spacing: -.02em; display: flex; gap: .7rem; align-items: flex-start; margin: .15rem 0 .3rem }
h1 .mark { width: 2.1rem; height: 2.1rem }
h2 { font-size: 1.05rem; display: flex; gap: .5rem; align-items: center }
h4 { font-size: .75rem; font-weight: 600; letter-spacing: .04em; text-transform: uppercase; color: var(--quiet) }
code, pre { font-family: var(--mono); font-size: .86em; unicode-bidi: isolate }
pre { overflow-x: auto; background: var(--code); border: 1px solid var(--line); border-radius: 6px; padding: .5rem 0; line-height: 1.55 }
a { color: inherit }
.quiet, .counts, .tool { color: var(--quiet) }
.quiet { font-size: .88rem }
.tool { font-family: var(--mono); font-size: .85rem }
.skip:not(:focus), .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px }
summary { cursor: pointer }
:target { scroll-margin-top: 6rem }

.mark { flex: none; width: 1.15rem; height: 1.15rem; vertical-align: -.22rem; border-radius: 50%; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round }
.mark.passed { color: var(--good); background: var(--good-wash) }
.mark.failed, .mark.error { color: var(--bad); background: var(--bad-wash) }
.mark.errored, .mark.warning { color: var(--warn); background: var(--warn-wash) }
.mark.note { color: var(--note) }
.mark.warning { stroke-width: 1.5; border-radius: 4px }
.mark.skipped, .mark.partial, .mark.none { color: var(--quiet) }
header.passed { --tone: var(--good) }
header.failed { --tone: var(--bad) }
header.errored, header.partial { --tone: var(--warn) }
header.partial .mark { color: var(--warn) }
header h1 span { color: var(--tone) }

.subjects { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: .9rem }
.subject, .grid, .finding, #reproduce, #not-judged, .reading, .live, .fix { background: var(--card); border: 1px solid var(--line); border-radius: 10px }
.subject, #reproduce, #not-judged, .reading, .live, .fix { padding: .9rem 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: .45rem; align-content: start }
.subject details summary, .reading summary, #not-judged summary { font-size: .88rem; color: var(--quiet) }
.promises { font-size: .88rem; padding-top: .35rem }
.promises li { display: flex; flex-wrap: wrap; gap: .1rem .8rem; padding: .15rem 0 }
.promises em { color: var(--quiet) }
.promises em::before { content: 'from ' }
.notes { display: grid; gap: .3rem; font-size: .9rem; padding-top: .3rem }
.reasons { display: grid; gap: .7rem; padding-top: .35rem }
.reasons li { display: flex; gap: .6rem }
.reasons p { white-space: pre-line }

.grid { overflow-x: auto }
.grid > * { min-width: calc(14rem + var(--subjects) * 4.2rem) }
.row { display: grid; grid-template-columns: minmax(11rem, 1fr) repeat(var(--subjects), minmax(4.2rem, 7.5rem)); align-items: center; padding: .5rem 1rem .5rem 2rem; list-style: none; position: relative }
.row.head { color: var(--quiet); font-size: .82rem }
.row.head .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; display: block; text-align: center; padding: 0 .3rem }
.grid details { border-top: 1px solid var(--line) }
.grid summary::-webkit-details-marker { display: none }
.grid summary::before { content: ''; position: absolute; left: 1rem; top: 50%; width: .4rem; height: .4rem; border: solid var(--quiet); border-width: 0 1.5px 1.5px 0; transform: translate(0, -60%) rotate(-45deg) }
.grid details[open] > summary::before { transform: translate(0, -70%) rotate(45deg) }
.grid summary:hover { background: var(--code) }
.concern { font-weight: 600 }
.cell { display: flex; gap: .4rem; align-items: center; justify-content: center; font-variant-numeric: tabular-nums; font-size: .88rem }
.grid table { width: 100%; border-collapse: collapse; display: block; padding: 0 0 .5rem }
.grid tbody { display: block }
.grid tr { display: grid; grid-template-columns: minmax(11rem, 1fr) repeat(var(--subjects), minmax(4.2rem, 7.5rem)); align-items: center; padding: .22rem 1rem .22rem 2rem }
.grid thead { left: -9999px }
.grid th { text-align: start; font-weight: 400; font-size: .92rem; padding: 0 .6rem 0 0 }
.grid th code { display: block; color: var(--quiet); font-size: .78rem; line-height: 1.3 }
.grid td { text-align: center; padding: 0; font-size: .88rem; font-variant-numeric: tabular-nums }
.grid td small { color: var(--quiet); margin-left: .35rem; font-size: .8rem; white-space: nowrap }
.grid td a { text-decoration: none; display: inline-block; padding: .1rem .35rem; border-radius: 6px }
.grid td a small { text-decoration: underline }
.grid td a:hover { background: var(--bad-wash) }

#findings, #causes { display: grid; grid-template-columns: minmax(0, 1fr); gap: .8rem }
#findings[hidden] { display: none }
.bar { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: center; justify-content: space-between }
.filters { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .9rem }
.filters label { display: flex; gap: .35rem; align-items: center; cursor: pointer }
.filters input { accent-color: var(--accent); margin: 0 }
body:has(#show-error:not(:checked)) .finding.error, body:has(#show-warning:not(:checked)) .finding.warning, body:has(#show-note:not(:checked)) .finding.note { display: none }
.finding { border-left: 4px solid var(--edge) }
.finding.error { --edge: var(--bad) }
.finding.warning { --edge: var(--warn) }
.finding.note { --edge: var(--note) }
.finding > summary { display: flex; gap: .7rem; padding: .75rem 1rem; align-items: flex-start; list-style: none }
.finding > summary::-webkit-details-marker { display: none }
.finding > summary .mark { margin-top: .2rem }
.finding > summary::after { content: ''; flex: none; width: .5rem; height: .5rem; margin: .45rem .2rem 0 auto; border: solid var(--quiet); border-width: 0 1.5px 1.5px 0; transform: rotate(45deg) }
.finding[open] > summary::after { transform: rotate(-135deg); margin-top: .7rem }
.what { min-width: 0 }
.what h3 { font-size: 1rem; font-weight: 600 }
.facts { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .9rem; color: var(--quiet); font-size: .85rem }
.facts .place { color: var(--ink) }
.body { padding: .1rem 1rem 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: .9rem }
.found { display: grid; grid-template-columns: minmax(0, 1fr); gap: .7rem }
.found + .found { border-top: 1px dashed var(--line); padding-top: .9rem }
.message { font-weight: 500 }
.follows { background: var(--warn-wash); border-radius: 6px; padding: .4rem .7rem; font-size: .9rem }
.versus { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: .6rem }
.versus > div { border: 1px solid var(--line); border-top: 3px solid var(--good); border-radius: 6px; padding: .4rem .7rem }
.versus > .actual { border-top-color: var(--bad) }
.versus dt { font-size: .75rem; font-weight: 600; letter-spacing: .04em; text-transform: uppercase; color: var(--quiet) }
.versus dd { white-space: pre-wrap }

.sure { font-weight: 600; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .5rem; font-size: .8rem; line-height: 1.35 }
.sure.certain { color: var(--bad) }
.sure.likely { color: var(--warn) }
.sure.possible { color: var(--quiet) }
.because { display: grid; gap: .2rem; font-size: .9rem }
.because li { padding-left: .9rem; position: relative; white-space: pre-line }
.because li::before { content: ''; position: absolute; left: 0; top: .6em; width: .35rem; height: .35rem; border-radius: 50%; background: var(--quiet) }
.explains { font-size: .9rem; color: var(--quiet) }
.explains a, .follows a { color: inherit }
.good { color: var(--good); font-weight: 600; white-space: nowrap }
.idle > summary, .live summary, .fix summary { font-size: .88rem; color: var(--quiet) }
.idle li p { padding-left: 1.5rem }
.hunk { display: grid; grid-template-columns: minmax(0, 1fr); gap: .45rem; border-left: 3px solid var(--good); padding-left: .8rem; margin: .3rem 0 }
.fared { border-collapse: collapse; width: 100%; font-size: .92rem }
.fared tr { border-top: 1px solid var(--line) }
.fared tr:first-child { border-top: 0 }
.fared th, .fared td { padding: .3rem .8rem .3rem 0; vertical-align: top; text-align: start }
.fared th { font-weight: 500; width: 9.5rem; white-space: nowrap }
.fared th .mark { margin-right: .5rem }
.fared .took { width: 5rem; text-align: end; color: var(--quiet); font-variant-numeric: tabular-nums; white-space: nowrap }
.fared td:last-child { padding-right: 0 }
.answer { display: grid; grid-template-columns: minmax(0, 1fr); gap: .3rem; padding-top: .7rem; font-size: .9rem }
.answer pre { padding: .5rem .8rem; white-space: pre-wrap }

.source .line { display: flex; padding: 0 .8rem 0 0; min-width: max-content }
.source b { flex: none; width: 3.4rem; padding-right: .8rem; text-align: right; font-weight: 400; color: var(--quiet); user-select: none }
.source .line > span { white-space: pre; tab-size: 4 }
.source .meant { background: var(--bad-wash) }
.source mark { background: none; color: inherit; font-weight: 600; text-decoration: underline wavy var(--bad) 1.5px; text-underline-offset: 3px }
.finding.warning .source .meant { background: var(--warn-wash) }
.finding.warning .source mark { text-decoration-color: var(--warn) }
.finding.note .source .meant { background: none }
.finding.note .source mark { text-decoration-color: var(--note) }
.diff { tab-size: 4 }
.diff span { display: block; padding: 0 .8rem; min-width: max-content }
.diff .added { background: var(--good-wash); color: var(--good) }
.diff .removed { background: var(--bad-wash); color: var(--bad) }
.diff .head { color: var(--quiet) }
.mend { display: grid; grid-template-columns: minmax(0, 1fr); gap: .5rem; border-left: 3px solid var(--good); padding-left: .8rem }
.mend p { white-space: pre-line; font-weight: 500 }
.mend h4 { color: var(--good) }
.why { font-size: .88rem; color: var(--quiet) }
.command { user-select: all }
.why .command { display: inline-block }
pre.command { padding: .6rem .8rem; white-space: pre-wrap }

.evidence { display: grid; gap: .6rem .9rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)) }
.evidence.timed { grid-template-columns: minmax(0, 1fr); gap: 0 }
.witness { min-width: 0; border: 1px solid var(--line); border-radius: 6px; padding: .45rem .7rem .55rem }
.witness ul { display: grid; grid-template-columns: minmax(0, 1fr); gap: .25rem; padding-top: .2rem }
.witness code { display: block; white-space: pre-wrap }
.witness.client h4 { color: var(--client) }
.witness.upstream h4 { color: var(--gms) }
.witness.client { --bar: var(--client) }
.witness.upstream { --bar: var(--gms) }
.witness.log { grid-column: 1 / -1 }
.seen.trouble code { color: var(--bad) }
.timed .witness.client { border-radius: 6px 6px 0 0 }
.timed .witness.upstream { border-top-style: dashed; border-radius: 0 0 6px 6px }
.timed .witness.client:has(+ .witness.upstream) { border-bottom: 0 }
.timed .witness.log { margin-top: .6rem }
.track { position: relative; height: .5rem; margin: .1rem 0 .2rem; border-radius: 3px; background: var(--code); overflow: hidden }
.track i { position: absolute; top: 0; bottom: 0; min-width: 4px; max-width: 100%; border-radius: 3px; background: var(--bar); }
.seen.trouble .track i { background: linear-gradient(to left, var(--bad) 6px, var(--bar) 6px) }
.track i.open { background: linear-gradient(to right, var(--bar), transparent) }
.axis { position: relative; height: 1.3rem; margin: .15rem .75rem 0; font-size: .75rem; color: var(--quiet); font-variant-numeric: tabular-nums }
.axis span { position: absolute; white-space: nowrap; border-left: 1px solid var(--line); padding-left: .25rem }
.axis span[style*='left:100'] { translate: -100%; border-left: 0; border-right: 1px solid var(--line); padding: 0 .25rem 0 0 }

@media (max-width: 640px) {
  :root { font-size: 14px }
  header, main, footer { padding-left: .8rem; padding-right: .8rem }
  h1 { font-size: 1.35rem }
  h1 .mark { width: 1.7rem; height: 1.7rem }
  .row, .grid tr { padding-left: 1.5rem; padding-right: .4rem; grid-template-columns: minmax(7rem, 1fr) repeat(var(--subjects), 3.9rem) }
  .grid > * { min-width: calc(9rem + var(--subjects) * 3.9rem) }
  .grid summary::before { left: .6rem }
  .cell { gap: .2rem }
  .grid td small { display: block; margin: 0 }
  .source b { width: 2.4rem; padding-right: .6rem }
  .fared th { width: 7.2rem }
  .fared th .mark { margin-right: .3rem }
  .fared .took { width: 3.9rem; padding-right: .5rem }
}
@media print {
  :root { color-scheme: light; font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact }
  body { background: #fff }
  main, header, footer { max-width: none }
  .filters, .skip { display: none }
  details::details-content { content-visibility: visible; display: block; height: auto }
  pre, .source .line > span { white-space: pre-wrap }
  .source .line, .diff span { min-width: 0 }
  .versus, .witness, .mend { break-inside: avoid }
  .grid { overflow: visible }
}
`
