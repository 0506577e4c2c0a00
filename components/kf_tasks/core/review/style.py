"""How the HTML of a review looks: contrast of 4.5 and more in light and dark, no column narrower than its words."""

STYLE = """\
:root { color-scheme: light dark; --text: #1b1f24; --soft: #57606a; --page: #fff; --box: #f6f8fa; --line: #d0d7de;
  --good: #1a7f37; --bad: #b3261e; --mark: #0b57d0; --add: #dafbe1; --del: #ffe4e1; --alert: #fff4e5; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9da7b3; --page: #0d1117; --box: #161b22; --line: #3d444d;
    --good: #4ac26b; --bad: #ff8a80; --mark: #7cacf8; --add: #12321f; --del: #43191a; --alert: #33270f; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0; }
h2 { font-size: 1.6rem; margin: .2rem 0 .4rem; overflow-wrap: anywhere; }
h3 { font-size: 1.1rem; margin: 0 0 .6rem; }
h4 { font-size: 1rem; margin: 1rem 0 .3rem; }
summary h3 { display: inline; }
summary { cursor: pointer; padding: .2rem 0; }
a { color: var(--mark); }
article + article { border-top: 2px solid var(--line); margin-top: 2rem; padding-top: 1rem; }
.summary { font-size: 1.15rem; margin: 0 0 1.2rem; }
section, details { border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1rem; margin: 0 0 1rem; }
section.alert { background: var(--alert); border-left: 5px solid var(--bad); }
code, pre { font: .875em/1.45 ui-monospace, "SFMono-Regular", Menlo, Consolas, "Liberation Mono", monospace; }
code { overflow-wrap: anywhere; white-space: pre-wrap; }
h2 code { font-size: 1em; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .6rem; margin: 0;
  overflow-x: auto; }
.add { background: var(--add); } .del { background: var(--del); } .at { color: var(--soft); }
pre span { display: inline-block; min-width: 100%; }
ul { margin: 0 0 .6rem; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; margin: 0 0 .6rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: .875rem; }
tbody th { font-weight: 600; min-width: 9rem; }
figure { margin: .6rem 0; max-width: 36rem; }
figcaption { color: var(--soft); font-size: .875rem; }
svg { width: 100%; height: auto; display: block; font-family: inherit; fill: var(--text); font-size: 12px; }
svg .soft { fill: var(--soft); font-size: 11px; } svg .name { font-weight: 600; }
svg .good { fill: var(--good); } svg .bad { fill: var(--bad); } svg .mark { fill: var(--mark); }
svg .open { fill: none; stroke: var(--soft); stroke-width: 1; }
svg .axis { stroke: var(--line); } svg .bad-line { stroke: var(--bad); stroke-width: 2; fill: none; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
@media (max-width: 44rem) {
  table, tbody, tr, tbody th, td { display: block; width: 100%; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  tr { border-top: 1px solid var(--line); padding: .4rem 0; }
  th, td { border: 0; padding: .1rem 0; }
  td:not(:empty)::before { content: attr(data-label) ": "; color: var(--soft); font-size: .875rem; }
  td:empty { display: none; }
}
@media print {
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  section, details, tr, figure { break-inside: avoid; } pre { white-space: pre-wrap; break-inside: auto; }
  details { break-inside: auto; } details::details-content { content-visibility: visible; block-size: auto; }
}
"""
