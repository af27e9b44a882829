import { testsOf } from '../schedule/check-of.ts';
import { measures } from '../schedule/measures.ts';
import { HOST_KEY } from './built-in-alerts.ts';
import type { AlertSettings, Settings } from './settings.ts';
import { formatDuration } from './units.ts';

/** No link that anybody measures is that slow: most likely a unit is missing. */
const LEAST_BITS_PER_SECOND = 1000;

/** Only the sender of a TCP test sees round trip times: of a download that is the server. */
const UNSEEN = 'tcp.download.rtt_ms';

/** What is odd about a metric or a threshold; null when nothing is. */
const oddCondition = ({ name, metric, condition }: AlertSettings, { retention }: Settings): string | null => {
  if (metric === UNSEEN) return `${name} never fires: downloads have no round trip time: use tcp.upload.rtt_ms`;
  if (condition.kind === 'drop') {
    const runs = formatDuration(retention.runs_ms);
    if (condition.over_ms < retention.runs_ms) return null;
    return `${name} looks back for ${formatDuration(condition.over_ms)}, and runs are kept for ${runs}: set over lower, or retention.runs higher`;
  }
  const { threshold } = condition;
  if (metric.endsWith('.bits_per_second') && threshold < LEAST_BITS_PER_SECOND) {
    return `${name} is about ${threshold} bit/s: is a unit missing, as in ${threshold}M?`;
  }
  return null;
};

/** Whether a device that the rule may be about can have a value for it. */
const isMeasured = ({ metric, where }: AlertSettings, { organizations }: Settings): boolean =>
  [...organizations.values()].some(
    (one) =>
      (where.organization ?? one.organization) === one.organization &&
      testsOf(one).some((tests) => tests.some((test) => measures(test, metric))),
  );

/** Rules that can be meant as they are, and most likely are not: a warning for each. */
export const oddRules = (settings: Settings): string[] =>
  settings.alerts.flatMap((rule) => {
    const { name, metric, notify } = rule;
    const odd = oddCondition(rule, settings);
    return [
      ...(odd === null ? [] : [`alerts: ${odd}`]),
      ...(isMeasured(rule, settings) ? [] : [`alerts: ${name} never fires: no check measures ${metric}`]),
      // That about host keys is on without a word in the file, and is of use where alerts are only looked at.
      ...(notify.length > 0 || metric === HOST_KEY
        ? []
        : [`alerts: nobody is told when ${name} fires: name receivers in notify, or under receivers`]),
    ];
  });
