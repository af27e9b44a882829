// @ts-check

/** A value of each variable: all of them are `.*`, which also matches points without the tag (a skipped run has no server). */
const CHOSEN = `"organization" =~ /^$organization$/ AND "device" =~ /^$device$/ AND "server" =~ /^$server$/`;

/** Of the runs or measurements that are chosen above, in the time range. */
export const WHERE = `WHERE ${CHOSEN} AND $timeFilter`;

/** As WHERE, in the last `days` days, whatever the time range is. */
export const whereLast = (/** @type {string} */ days) => `WHERE ${CHOSEN} AND time > now() - ${days}d`;

/** As whereLast(7), seven days earlier. */
export const WHERE_WEEK_BEFORE = `WHERE ${CHOSEN} AND time > now() - 14d AND time <= now() - 7d`;

/** TCP and UDP are never mixed: a UDP test sends at a rate that it was told. */
export const PROTOCOL = `"protocol" = '$protocol'`;

/** 10^9; InfluxQL has no exponents. */
export const GIGA = '1000000000';

/**
 * The median of a field each night, and the value that a tenth of the tests is worse than: two lines for each direction.
 * @param {string} field of `iperf3`
 * @param {'low' | 'high'} worst which end is the bad one
 * @param {string} [and] a further condition
 */
export const medianAndWorst = (field, worst, and) => {
  const rest = `FROM "iperf3" ${WHERE}${and === undefined ? '' : ` AND ${and}`} GROUP BY time($__interval), "direction" fill(null)`;
  return [
    { query: `SELECT median("${field}") ${rest}`, alias: '$tag_direction' },
    {
      query: `SELECT percentile("${field}", ${worst === 'low' ? 10 : 90}) ${rest}`,
      alias: '$tag_direction, worst tenth',
    },
  ];
};

/**
 * Every single value, one line for each device, server and direction; at most 100 lines, which is more than can be told apart.
 * @param {string} value a field of `iperf3`, or a formula of some
 * @param {string} [and] a further condition
 */
export const eachTest = (value, and) => [
  {
    query: `SELECT ${value} FROM "iperf3" ${WHERE}${and === undefined ? '' : ` AND ${and}`} GROUP BY "device", "server", "direction" SLIMIT 100`,
    alias: '$tag_device $tag_server $tag_direction',
  },
];

/**
 * As eachTest, and once more those that iperf3 did not report itself, which DERIVED marks.
 * @param {string} value
 * @param {string[]} and
 */
export const eachTestMarked = (value, ...and) => [
  ...eachTest(value, and.length === 0 ? undefined : and.join(' AND ')),
  ...eachTest(value, [...and, '"derived" = 1'].join(' AND ')).map(({ query, alias }) => ({
    query,
    alias: `${alias}, derived`,
  })),
];

/** How many runs ended how, each night. */
export const OUTCOMES_BY_NIGHT = [
  {
    query: `SELECT count("attempts") FROM "iperf3_run" ${WHERE} GROUP BY time($__interval), "outcome" fill(0)`,
    alias: '$tag_outcome',
  },
];
