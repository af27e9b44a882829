import type { Clock } from '../../../broker/clock.ts';
import type { AlertmanagerSettings } from '../../config/settings.ts';
import type { AlertNotice } from '../notice.ts';
import { headline } from '../notice-text.ts';
import { httpPost } from './http-post.ts';
import type { Outcome, Receiver } from './receiver.ts';

/** Without word for so long Alertmanager takes an alert as over: five times what lies between two of ours. */
const FORGOTTEN_AFTER_MS = 5 * 60_000;

/** Alertmanager says in JSON what is wrong with an alert: a text, or an object with a message. */
const isOwn = (answer: string): boolean => /^\s*["{]/.test(answer);

/**
 * An alert of its v2 API. What Alertmanager tells alerts apart by, the labels, is the same from the first `firing` to `resolved`, and the
 * same for each repetition; what may change, such as the server of the last value, is an annotation.
 */
const alertOf = (notice: AlertNotice, now_ms: number): object => {
  const since_ms = Date.parse(notice.firing_since);
  const end_ms = notice.state === 'firing' ? now_ms + FORGOTTEN_AFTER_MS : Date.parse(notice.at);
  const { organization, server, run, value } = notice;
  return {
    labels: {
      alertname: notice.rule,
      job: 'perfleet',
      severity: notice.severity,
      metric: notice.metric,
      [notice.subject.kind]: notice.subject.name,
      ...(organization === null ? {} : { organization }),
    },
    annotations: {
      summary: headline(notice),
      description: notice.reason,
      ...(server === null || notice.subject.kind === 'server' ? {} : { server }),
      ...(run === null ? {} : { run }),
      ...(value === null ? {} : { value: String(value) }),
    },
    startsAt: notice.firing_since,
    // A clock that was set back must not end an alert before it began: all of them would be refused.
    endsAt: new Date(Math.max(end_ms, since_ms)).toISOString(),
  };
};

const credentials = ({ login, token }: AlertmanagerSettings): Record<string, string> => {
  if (token !== null) return { authorization: `Bearer ${token}` };
  if (login === null) return {};
  return { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` };
};

/** Hands alerts to a Prometheus Alertmanager, which groups, silences and passes them on. */
export const alertmanager = (settings: AlertmanagerSettings, clock: Clock): Receiver => {
  const url = `${settings.url.replace(/\/+$/, '')}/api/v2/alerts`;
  const post = (notices: readonly AlertNotice[], signal: AbortSignal): Promise<Outcome> => {
    const now_ms = clock.wall();
    const body = JSON.stringify(notices.map((notice) => alertOf(notice, now_ms)));
    const request = { url, headers: credentials(settings), body, ca: settings.ca, what: 'the Alertmanager', isOwn };
    return httpPost(request, clock, signal);
  };
  return { send: (notice, signal) => post([notice], signal), remind: post };
};
