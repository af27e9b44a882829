// @ts-check

/**
 * One colour for one meaning, on every panel. From Paul Tol's "vibrant" scheme, which colour-blind people can tell apart
 * (https://personal.sron.nl/~pault/), with red for failures only.
 */
export const COLOURS = {
  upload: '#0077BB',
  download: '#EE7733',
  good: '#009988',
  failure: '#CC3311',
  plain: '#33BBEE',
  doubt: '#AA3377',
};

/** The outcomes, from the bottom of the stack to its top: what went well below, what needs a look above. */
export const OUTCOME_COLOURS = {
  success: COLOURS.good,
  cancelled: '#777777',
  skipped: '#BBBBBB',
  missed: COLOURS.plain,
  lost: '#EE3377',
  failed: COLOURS.failure,
};

/**
 * @param {string} colour
 * @returns {object} a property of a field: always this colour
 */
export const fixedColour = (colour) => ({ id: 'color', value: { mode: 'fixed', fixedColor: colour } });

/**
 * @param {string} name the name of a series or column
 * @param {object[]} properties
 * @returns {object} what is different about it
 */
export const named = (name, properties) => ({ matcher: { id: 'byName', options: name }, properties });

/** Series whose name ends with the direction; those of the worst tenth are dashed. */
export const DIRECTIONS = [
  ...['upload', 'download'].map((direction) => ({
    matcher: { id: 'byRegexp', options: `/(^| )${direction}(, worst tenth)?$/` },
    properties: [fixedColour(direction === 'upload' ? COLOURS.upload : COLOURS.download)],
  })),
  {
    matcher: { id: 'byRegexp', options: '/ tenth$/' },
    properties: [{ id: 'custom.lineStyle', value: { fill: 'dash', dash: [6, 6] } }],
  },
];

/** Series of figures that iperf3 did not report itself: a mark on the point of each. */
export const DERIVED = {
  matcher: { id: 'byRegexp', options: '/, derived$/' },
  properties: [
    fixedColour(COLOURS.doubt),
    { id: 'custom.drawStyle', value: 'points' },
    { id: 'custom.pointSize', value: 12 },
  ],
};

/** Series that are named like outcomes. */
export const OUTCOMES = Object.entries(OUTCOME_COLOURS).map(([outcome, colour]) =>
  named(outcome, [fixedColour(colour)]),
);
