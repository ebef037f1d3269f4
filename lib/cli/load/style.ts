/** The page's style. Lines differ in their dashes too, for whoever cannot tell their colours apart. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #59636e; --rule: #d1d9e0; --bad: #b3261e;
  --c0: #0b5cad; --c1: #b3470b; --c2: #6b3fa0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --faint: #a3adb8; --rule: #3a424a; --bad: #ff8a80;
  --c0: #6cb6ff; --c1: #ffa657; --c2: #c9a5ff; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
p { overflow-wrap: anywhere; }
.knee { font-size: 1.6rem; margin: 0; }
.note { color: var(--faint); }
figure { margin: 1.5rem 0; }
figcaption, caption { font-weight: 600; text-align: start; margin-bottom: .5rem; }
.legend { font-weight: 400; margin-inline-start: .5rem; }
.legend > span { margin-inline-end: .75rem; white-space: nowrap; }
.key { display: inline-block; width: 1.5em; border-top: 3px solid var(--c); vertical-align: middle; margin-inline-end: .3em; }
svg { display: block; width: 100%; max-width: 42rem; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--faint); }
.grid { stroke: var(--rule); }
.limit { stroke: var(--bad); stroke-dasharray: 2 3; }
.series-0 { --c: var(--c0); --dash: none; } .series-1 { --c: var(--c1); --dash: 8 3; } .series-2 { --c: var(--c2); --dash: 2 3; }
.series-1 .key { border-top-style: dashed; } .series-2 .key { border-top-style: dotted; }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-dasharray: var(--dash); }
.mark { fill: var(--c); stroke: var(--c); stroke-width: 2; }
.scroll { overflow-x: auto; margin: 1.5rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--rule); text-align: end; white-space: nowrap; }
.settings :is(th, td) { text-align: start; white-space: normal; }
.broke td:last-child { color: var(--bad); font-weight: 600; }
`;
