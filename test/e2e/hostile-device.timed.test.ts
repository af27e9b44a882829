import { expect } from 'vitest';
import { MAX_PAYLOAD_BYTES } from '../../broker/contract/numbers.ts';
import {
  commandTopic,
  controllerTopic,
  eventTopic,
  resultTopic,
  slotTopic,
  statusTopic,
} from '../../broker/contract/topics.ts';
import { fleetTest } from '../helpers/fleet-test.ts';
import { RawDevice } from '../helpers/raw-device.ts';
import { until } from '../helpers/until.ts';

const test = fleetTest();

const EVIL = 'ap-evil';

/** What a device with a grudge says about somebody else's run; `claim` makes each one different. */
const liesAbout = (run: string, claim: number): [topic: string, payload: unknown][] => {
  const about = { run, boot: `b-${claim}` };
  const event = { ...about, token: 1, nonce: 'n' };
  const output = { test: 'tcp-upload', exit_code: 0, stdout: '{"end":{}}', stderr: '', started_ms: 0, ended_ms: 1 };
  const result = { ...about, token: 1, tests: [output] };
  const large = { ...result, tests: [{ ...output, stdout: 'x'.repeat(MAX_PAYLOAD_BYTES - 1000) }] };
  const offline = { online: false, boot: 'b', agent: '0', host: 'node', iperf3: null, capabilities: [], pending: 0 };
  return [
    // On its own topics, where it may say what it likes.
    ...['finished', 'started', 'ready', 'declined'].map((type): [string, unknown] => [
      eventTopic(EVIL),
      { ...event, type, reason: 'busy: no' },
    ]),
    [resultTopic(EVIL, run), result],
    [resultTopic(EVIL, `r-${claim}`), large],
    [eventTopic(EVIL), { type: 'explode' }],
    [statusTopic(EVIL), offline],
    // On topics of others.
    [eventTopic('ap-1'), { ...event, type: 'finished' }],
    [resultTopic('ap-1', run), result],
    [statusTopic('ap-1'), offline],
    [commandTopic('ap-1'), { type: 'cancel', run, reason: 'because' }],
    [slotTopic('s-1'), { device: null, run: null, token: null, until: null, length_ms: null }],
    [controllerTopic(), { online: true, boot: 'evil', version: '9' }],
  ];
};

test('a device that lies, floods and shouts disturbs nobody: its words are counted, logged and dropped', async ({
  fleet,
}) => {
  const controller = await fleet.serve();
  await fleet.join('ap-1', 'ap-2');
  const credentials = await fleet.addDevice(EVIL);
  const evil = await RawDevice.connect(credentials, EVIL);
  fleet.alsoStop(() => evil.stop());

  const first = await fleet.order('ap-1');
  const second = await fleet.order('ap-2');
  const flood = { on: true, sent: 0 };
  const flooding = (async () => {
    for (let claim = 0; flood.on; claim += 1) {
      const lies = liesAbout(first, claim).map(([topic, payload]) => evil.publish(topic, JSON.stringify(payload)));
      const garbage = ['{"type":', '\u0000', '[]', '7'].map((text) => evil.publish(eventTopic(EVIL), text));
      await Promise.all([...lies, ...garbage]);
      flood.sent += lies.length + garbage.length;
    }
  })();
  const shouting = await RawDevice.connect(credentials, `${EVIL}-2`);
  shouting.publish(eventTopic(EVIL), 'x'.repeat(2 * MAX_PAYLOAD_BYTES)).catch(() => {});
  await controller.says(/connections_oversized/);
  await shouting.stop();

  const records = [await fleet.over(first), await fleet.over(second)];
  await until('there was a flood', () => flood.sent > 500);
  flood.on = false;
  await flooding;

  for (const record of records) {
    expect(record).toMatchObject({ outcome: 'success', attempts: 1, failures: [] });
    expect(record.measurements).toHaveLength(1);
    expect(record.measurements[0]?.bits_per_second).toBeGreaterThan(10e6);
  }
  expect(fleet.witness().map(({ what }) => what)).toEqual(['spawn', 'exit', 'spawn', 'exit']);
  const { in_charge, devices_online, runs_open, messages_dropped } = await fleet.status();
  expect({ in_charge, devices_online, runs_open }).toEqual({ in_charge: true, devices_online: 2, runs_open: 0 });
  expect(messages_dropped).toBeGreaterThan(100);
  expect(controller.running).toBe(true);
  expect(controller.stderr.split('\n').length).toBeLessThan(150);
  for (const words of ['dropped a message that its sender may not publish', 'not of the contract', 'nobody asked for'])
    expect(controller.stderr).toContain(words);
});
