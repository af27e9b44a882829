import './ucode.ts';
import type { Publication } from '../../../../agent/core/io.ts';
import { connect } from '../../../../agent/hosts/openwrt/link.ts';
import type { Shell } from '../../../../agent/hosts/openwrt/shell.ts';
import { commandTopic, eventTopic, resultTopic, statusTopic } from '../../../../broker/contract/topics.ts';
import { until } from '../../../helpers/until.ts';
import { makeShell } from './rig.ts';

const status = (online: boolean) => ({
  online,
  boot: 'boot-1',
  agent: '0.1.0',
  host: 'openwrt' as const,
  iperf3: '3.12',
  capabilities: [],
  pending: 0,
});
export const statusOf = (online: boolean, pending = 0): Publication => ({
  kind: 'publish',
  what: 'status',
  topic: statusTopic('ap-1'),
  payload: { ...status(online), pending },
});
export const event = (run: string): Publication => ({
  kind: 'publish',
  what: 'event',
  topic: eventTopic('ap-1'),
  payload: { type: 'finished', run, boot: 'boot-1', token: 1 },
});
export const result = (run: string): Publication => ({
  kind: 'publish',
  what: 'result',
  topic: resultTopic('ap-1', run),
  payload: { run, token: 1, boot: 'boot-1', tests: [] },
});

/** A link to the broker on this port, which publishes the status as the core does. */
export const open = (port: number) => {
  const shell: Shell = makeShell(['event']);
  const said: string[] = [];
  const changes: boolean[] = [];
  const heard: [string, unknown][] = [];
  const link = connect(shell, {
    device: 'ap-1',
    args: ['-h', '127.0.0.1', '-p', `${port}`, '-k', '30'],
    event_topic: eventTopic('ap-1'),
    will: { topic: statusTopic('ap-1'), text: JSON.stringify(status(false)) },
    topics: [commandTopic('ap-1'), statusTopic('ap-1')],
    onConnected: () => {
      changes.push(true);
      link.publish(statusOf(true));
    },
    onDisconnected: () => changes.push(false),
    onMessage: (topic, payload) => heard.push([topic, payload]),
    say: (text) => said.push(text),
  });
  const connected = (times = 1) =>
    until('it is connected', () => changes.filter(Boolean).length >= times && changes.at(-1) === true);
  return { shell, link, said, changes, heard, connected };
};
