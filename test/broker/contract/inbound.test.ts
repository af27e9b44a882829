import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInbound } from '../../../broker/contract/inbound.ts';
import { MAX_PAYLOAD_BYTES } from '../../../broker/contract/numbers.ts';
import {
  commandTopic,
  controllerTopic,
  eventTopic,
  resultTopic,
  slotTopic,
  statusTopic,
} from '../../../broker/contract/topics.ts';

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const parse = (topic: string, value: unknown) => parseInbound(topic, bytes(value));

const plan = { test: 'tcp-upload', protocol: 'tcp', direction: 'upload', duration_s: 10 };
const fullPlan = { ...plan, omit_s: 0, streams: 1, bitrate: null, length: null, window: null, congestion: null };
const server = { host: 'iperf1.example.net', port: 5201 };
const output = { test: 'tcp-upload', stdout: '{}', stderr: '', started_ms: 3, ended_ms: 10_003 };

describe('every kind of message is told apart, and absent keys become null or their default', () => {
  test('status', () => {
    expect(parse(statusTopic('ap-12'), { online: true, boot: 'b1' })).toEqual({
      kind: 'status',
      device: 'ap-12',
      payload: { online: true, boot: 'b1', agent: null, host: null, iperf3: null, capabilities: [], pending: 0 },
    });
  });

  test.each([
    [
      { type: 'prepare', run: 'r-1', server, tests: [plan], lease_ms: 25_000 },
      {
        type: 'prepare',
        run: 'r-1',
        server: { ...server, auth: null },
        tests: [fullPlan],
        lease_ms: 25_000,
        max_cross_traffic: null,
      },
    ],
    [
      { type: 'start', run: 'r-1', token: 7, nonce: 'n1' },
      { type: 'start', run: 'r-1', token: 7, nonce: 'n1', server: null, lease_ms: null },
    ],
    [{ type: 'cancel', run: 'r-1', reason: 'unknown run' }, null],
    [{ type: 'accepted', run: 'r-1', token: 7 }, null],
  ])('command %j', (sent, expected) => {
    expect(parse(commandTopic('ap-12'), sent)).toEqual({ kind: 'command', device: 'ap-12', payload: expected ?? sent });
  });

  test.each([
    [{ type: 'ready', run: 'r-1', boot: 'b1', nonce: 'n1' }, {}],
    [
      { type: 'declined', run: 'r-1', boot: 'b1', reason: 'busy' },
      { token: null, nonce: null },
    ],
    [{ type: 'started', run: 'r-1', boot: 'b1', token: 7, nonce: 'n1' }, {}],
    [{ type: 'finished', run: 'r-1', boot: 'b1', token: 7 }, {}],
  ])('event %j', (sent, defaults) => {
    expect(parse(eventTopic('ap-12'), sent)).toEqual({
      kind: 'event',
      device: 'ap-12',
      payload: { ...sent, ...defaults },
    });
  });

  test('result', () => {
    const sent = { run: 'r-1', token: 7, boot: 'b1', tests: [output] };
    expect(parse(resultTopic('ap-12', 'r-1'), sent)).toEqual({
      kind: 'result',
      device: 'ap-12',
      payload: { ...sent, tests: [{ ...output, exit_code: null }] },
    });
  });

  test.each([
    [{ load: 0.5 }, { load: 0.5 }],
    [
      { cpu_percent: 101, cpu_busiest_percent: -1, softirq_percent: 97.5, load: '1', memory_available_bytes: 0.5 },
      { softirq_percent: 97.5 },
    ],
    [{ memory_available_bytes: 1024, offload: { flow: true } }, { memory_available_bytes: 1024 }],
    [{ offload: { flow: true, hardware: false } }, { offload: { flow: true, hardware: false } }],
    ['busy', null],
    [null, null],
  ])('the system %j of a result: what makes no sense is dropped, never the result', (system, expected) => {
    const unknown = { cpu_percent: null, cpu_busiest_percent: null, softirq_percent: null };
    const nothing = { ...unknown, load: null, memory_available_bytes: null, offload: null };
    const sent = { run: 'r-1', token: 7, boot: 'b1', tests: [{ ...output, system }] };
    expect(parse(resultTopic('ap-12', 'r-1'), sent)).toMatchObject({
      kind: 'result',
      payload: { tests: [{ system: expected === null ? null : { ...nothing, ...expected } }] },
    });
  });

  test('slot', () => {
    const nobody = { device: null, run: null, token: null, until: null, length_ms: null, state: null };
    expect(parse(slotTopic('milan-1'), {})).toEqual({ kind: 'slot', server: 'milan-1', payload: nobody });
  });

  test('controller status', () => {
    expect(parse(controllerTopic(), { online: false, boot: 'c1' })).toEqual({
      kind: 'controller',
      payload: { online: false, boot: 'c1', version: null },
    });
  });
});

describe('null means the same as absent', () => {
  const nullable: [string, string, object, string[]][] = [
    ['status', statusTopic('a'), { online: true, boot: 'b' }, ['agent', 'host', 'iperf3', 'capabilities', 'pending']],
    ['declined', eventTopic('a'), { type: 'declined', run: 'r', boot: 'b', reason: 'x' }, ['token', 'nonce']],
    ['slot', slotTopic('s'), {}, ['device', 'run', 'token', 'until']],
    ['controller', controllerTopic(), { online: true, boot: 'c' }, ['version']],
  ];

  test.each(nullable)('in %s', (_name, topic, message, keys) => {
    const nulls = Object.fromEntries(keys.map((key) => [key, null]));
    const absent = parse(topic, message);
    expect(absent.kind).not.toBe('dropped');
    expect(parse(topic, { ...message, ...nulls })).toEqual(absent);
  });

  test('in the plan of a test', () => {
    const prepare = (test: object) => ({ type: 'prepare', run: 'r', server, tests: [test], lease_ms: 1 });
    const nulls = { omit_s: null, streams: null, bitrate: null, length: null, window: null, congestion: null };
    const absent = parse(commandTopic('a'), prepare(plan));
    expect(absent).toMatchObject({ payload: { tests: [fullPlan] } });
    expect(parse(commandTopic('a'), prepare({ ...plan, ...nulls }))).toEqual(absent);
  });

  test('in the tests of a result', () => {
    const result = (test: object) => parse(resultTopic('a', 'r'), { run: 'r', token: 1, boot: 'b', tests: [test] });
    expect(result({ ...output, exit_code: null })).toEqual(result(output));
  });
});

test('unknown keys are ignored', () => {
  expect(parse(controllerTopic(), { online: true, boot: 'c', version: '1', mood: 'good' })).toEqual({
    kind: 'controller',
    payload: { online: true, boot: 'c', version: '1' },
  });
});

describe('a message that is not of the contract is dropped, and the reason says why', () => {
  const ok = { online: true, boot: 'b' };

  test.each([
    'perfleet/1/device/a',
    'perfleet/1/device/a/other',
    'perfleet/1/device/a/status/x',
    'perfleet/1/device/a/result',
    'perfleet/1/device/a/result/r/x',
    'perfleet/1/server/a',
    'perfleet/1/server/a/slot/x',
    'perfleet/1/controller',
    'perfleet/1/controller/other',
    'perfleet/1/controller/status/x',
    'perfleet/1/printer/a/status',
    'perfleet/2/device/a/status',
    'other/1/device/a/status',
    '',
  ])('on the topic %j', (topic) => {
    expect(parse(topic, ok)).toEqual({
      kind: 'dropped',
      reason: expect.stringMatching(/unknown topic|bad id in topic/),
    });
  });

  test('with an id that is none', () => {
    expect(parse('perfleet/1/device/a b/status', ok)).toEqual({ kind: 'dropped', reason: 'bad id in topic' });
    expect(parse('perfleet/1/server//slot', {})).toEqual({ kind: 'dropped', reason: 'bad id in topic' });
  });

  test('with a payload over the limit, and not one at the limit', () => {
    const padded = (size: number) => Buffer.from('{"online":true,"boot":"b"}'.padEnd(size));
    expect(parseInbound(controllerTopic(), padded(MAX_PAYLOAD_BYTES)).kind).toBe('controller');
    expect(parseInbound(controllerTopic(), padded(MAX_PAYLOAD_BYTES + 1))).toEqual({
      kind: 'dropped',
      reason: 'payload of 1048577 bytes is over 1048576',
    });
  });

  test.each([
    ['nothing', ''],
    ['half a message', '{"online":'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('with %s', (_name, payload) => {
    expect(parseInbound(controllerTopic(), Buffer.from(payload))).toEqual({
      kind: 'dropped',
      reason: expect.stringMatching(/^not UTF-8 JSON: /),
    });
  });

  test('with a value out of range, named by its path', () => {
    const prepare = { type: 'prepare', run: 'r', server, tests: [{ ...plan, duration_s: 0 }], lease_ms: 1 };
    expect(parse(commandTopic('a'), prepare)).toEqual({
      kind: 'dropped',
      reason: expect.stringMatching(/^tests\.0\.duration_s: /),
    });
  });

  test('with no object at all', () => {
    expect(parse(controllerTopic(), 7)).toEqual({ kind: 'dropped', reason: expect.stringMatching(/^payload: /) });
  });

  test('with a result on the topic of another run', () => {
    const result = { run: 'r-2', token: 1, boot: 'b', tests: [] };
    expect(parse(resultTopic('a', 'r-1'), result)).toEqual({ kind: 'dropped', reason: 'run differs from the topic' });
  });
});

describe('whatever arrives, parsing does not throw', () => {
  const topics = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom('perfleet', '1', 'device', 'server', 'controller', 'a', 'status', 'result', ''), {
        maxLength: 8,
      })
      .map((levels) => levels.join('/')),
    fc.constantFrom(
      statusTopic('a'),
      commandTopic('a'),
      eventTopic('a'),
      resultTopic('a', 'r'),
      slotTopic('s'),
      controllerTopic(),
    ),
  );

  test('bytes', () => {
    fc.assert(
      fc.property(topics, fc.uint8Array(), (topic, payload) => typeof parseInbound(topic, payload).kind === 'string'),
    );
  });

  test('JSON', () => {
    fc.assert(fc.property(topics, fc.jsonValue(), (topic, value) => typeof parse(topic, value).kind === 'string'));
  });

  test('messages with one value replaced', () => {
    const result = { run: 'r', token: 1, boot: 'b', tests: [output] };
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(result)), fc.jsonValue(), (key, value) => {
        expect(['result', 'unreadable-result', 'dropped']).toContain(
          parse(resultTopic('a', 'r'), { ...result, [key]: value }).kind,
        );
      }),
    );
  });
});

test('a result that can not be read is told apart when it says which run it is of: it can be answered', () => {
  const read = (payload: object) => parse(resultTopic('a', 'r'), payload);
  expect(read({ run: 'r', token: 7, boot: 'b', tests: [{ ...output, started_ms: -5 }] })).toEqual({
    kind: 'unreadable-result',
    device: 'a',
    payload: { run: 'r', token: 7 },
    reason: expect.stringMatching(/^tests\.0\.started_ms: /),
  });
  expect(read({ run: 'r', token: 7, boot: 'b', tests: [{ ...output, ended_ms: 1e300 }] }).kind).toBe(
    'unreadable-result',
  );
  expect(read({ run: 'r', boot: 'b', tests: [output] }).kind).toBe('dropped');
  expect(read({ run: 'other', token: 7 }).kind).toBe('dropped');
});
