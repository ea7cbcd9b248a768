import { SERIES_LOOKS } from './svg.js';

/** Colours of series that people with any colour vision tell apart, on light ground; at least 3:1 against it. */
export const LIGHT_SERIES = ['#0b62a8', '#b34700', '#00795c', '#a1438b', '#7d5c00', '#4d5866'];
/** The same on dark ground. */
export const DARK_SERIES = ['#6cb4f2', '#ff9a57', '#35cfa4', '#eb9bd3', '#e3bf4b', '#b4bfcc'];
const DASHES = ['none', '7 3', '2 3', '9 3 2 3', '4 2', '12 4'];

const variables = (colours: readonly string[]) =>
  colours.map((colour, i) => `--series-${i}: ${colour};`).join(' ');

const seriesRules = (colourOf: (i: number) => string) =>
  Array.from({ length: SERIES_LOOKS }, (_, i) => {
    const colour = colourOf(i);
    return `.series-${i} { fill: ${colour}; stroke: ${colour}; } .curve.series-${i} { stroke-dasharray: ${DASHES[i]}; }`;
  }).join('\n');

/** The look of a report, on the screen in light and dark, and on paper. */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --panel: #fff; --text: #1c1e21; --quiet: #5c6370; --line: #d9dce1; --gain: #0b62a8; --loss: #b34700;
  ${variables(LIGHT_SERIES)}
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #16181c; --panel: #1f2228; --text: #e8e9eb; --quiet: #a0a7b4; --line: #383d47; --gain: #6cb4f2; --loss: #ff9a57;
    ${variables(DARK_SERIES)}
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem 1.25rem 4rem; background: var(--ground); color: var(--text); }
body { font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; max-width: 46rem; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
figure { margin: 1rem 0; padding: 1rem; background: var(--panel); border: 1px solid var(--line); border-radius: .5rem; break-inside: avoid; }
figcaption { color: var(--quiet); font-size: .875rem; margin-top: .75rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--series-0); outline-offset: 2px; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; font-size: 13px; }
svg text { fill: var(--text); }
svg .quiet { fill: var(--quiet); }
svg .strong { font-weight: 600; }
svg .end { text-anchor: end; }
svg .middle { text-anchor: middle; }
.grid { stroke: var(--line); }
.axis { stroke: var(--quiet); }
.interval { stroke: var(--text); stroke-width: 1.5; }
.interval-edge { stroke: var(--panel); stroke-width: 4; }
.gain { fill: var(--gain); }
.loss { fill: var(--loss); }
.curve { stroke-width: 2; }
${seriesRules((i) => `var(--series-${i})`)}
svg .curve { fill: none; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding-bottom: .5rem; }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th[scope=col] { vertical-align: bottom; }
th[scope=row] { font-weight: 400; white-space: normal; overflow-wrap: anywhere; min-width: 7rem; max-width: 16rem; }
.number { text-align: right; }
summary { cursor: pointer; margin-top: .75rem; }
@media print { body { max-width: none; } .scroll { overflow: visible; } svg { min-width: 0; } }
`;

/** The look of a picture in a file of its own: plain rules and light ground, for programs that know neither variables nor media. */
export const PICTURE_STYLE = `
svg { background: #fff; font: 13px system-ui, sans-serif; }
text { fill: #1c1e21; }
.quiet { fill: #5c6370; }
.strong { font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.grid { stroke: #d9dce1; }
.curve { stroke-width: 2; }
${seriesRules((i) => LIGHT_SERIES[i]!)}
polyline.curve { fill: none; }
`;
