import type { RunRecord } from '../run-record.ts';
import type { Context } from './context.ts';
import { figure, utc } from './figures.ts';
import { measurementsTable } from './measurements-table.ts';
import { harmless, painted } from './terminal-text.ts';

const COLOURS = {
  success: 'green',
  failed: 'red',
  lost: 'red',
  skipped: 'yellow',
  missed: 'yellow',
  cancelled: 'yellow',
} as const;

/** What is said of why a run was. */
export const ORIGIN = { retest: 'to confirm an alert' } as const;

/** What a person sees of a run that is over: how it ended, its numbers, and below what is wrong with them. */
export const runReport = (context: Context, record: RunRecord): string => {
  const { run, outcome, reason, device, organization, server, via, granted_at, duration_s, queued_s, origin } = record;
  const { stdout, env } = context.io;
  const verdict = outcome === null ? 'not over' : painted(outcome, COLOURS[outcome], stdout, env);
  const where = [
    `${device} (${organization})`,
    server && `on ${server}`,
    via && `via ${via}`,
    origin === undefined ? '' : ORIGIN[origin],
  ]
    .filter(Boolean)
    .join(' ');
  const when = granted_at === null ? 'never started' : `${utc(granted_at)} UTC, took ${figure(duration_s, 1)} s`;
  return [
    `${run}: ${verdict}${reason === null ? '' : ` (${harmless(reason)})`}\n`,
    `${where}, ${when}, waited ${figure(queued_s, 1)} s\n`,
    ...(record.measurements.length > 0 ? ['\n', measurementsTable(context, record.measurements)] : []),
    ...(record.failures.length + record.warnings.length > 0 ? ['\n'] : []),
    ...record.failures.map(({ test, class: why, message }) => `${test} failed, ${why}: ${harmless(message)}\n`),
    ...record.warnings.map((warning) => `warning: ${harmless(warning)}\n`),
  ].join('');
};

const ADVICE: Record<string, (device: string) => string> = {
  'device-offline': (device) =>
    `Is the agent of ${device} running, and does it reach the broker? Look at its log, and at: perfleet device show ${device}`,
  'device-unreachable': (device) =>
    `Is ${device} up, and does it answer at the address that this shows: perfleet device show ${device}`,
  'ssh-auth-failed': (device) => `Which credentials it is asked with: perfleet device show ${device}`,
  'host-key-changed': (device) =>
    `Was ${device} replaced or set up anew? Then: perfleet device trust ${device}. If not, somebody may pretend to be it`,
  suppressed: () => 'Measurements are switched off. Which, why and until when: perfleet suppress --list',
  'over-budget': (device) =>
    `The run would exceed monthly_budget. What ${device} has moved: perfleet device show ${device}`,
};

/** What to do about a run that never began, one line; empty where there is no more to say than its reason. */
export const adviceOn = ({ device, outcome, reason }: RunRecord): string => {
  const advice = outcome === 'skipped' ? ADVICE[`${reason}`] : undefined;
  return advice === undefined ? '' : `${advice(device)}\n`;
};
