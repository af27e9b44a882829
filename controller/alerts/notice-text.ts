import type { AlertNotice } from './notice.ts';

/** In few words, the important ones first, as a phone shows it: `[critical] ap-12: slow-download`. */
export const headline = ({ state, severity, subject, rule, organization }: AlertNotice): string =>
  `[${state === 'firing' ? severity : state}] ${subject.name}: ${rule}${organization === null ? '' : ` (${organization})`}`;

const utc = (time: string): string => `${time.slice(0, 19).replace('T', ' ')} UTC`;

/** A notice in plain text: why, and then all that is known. */
export const noticeText = (notice: AlertNotice): string => {
  const { state, subject, organization, server, rule, metric, severity, run } = notice;
  const facts: [string, string | null][] = [
    ['state', state],
    [subject.kind, subject.name],
    ['organization', organization],
    ['server', subject.kind === 'server' ? null : server],
    ['rule', `${rule} (${metric})`],
    ['severity', severity],
    ['firing since', utc(notice.firing_since)],
    ['resolved', state === 'resolved' ? utc(notice.at) : null],
    ['run', run],
  ];
  const lines = facts.flatMap(([name, value]) => (value === null ? [] : [`${`${name}:`.padEnd(15)}${value}`]));
  return `${notice.reason}\n\n${lines.join('\n')}\n`;
};
