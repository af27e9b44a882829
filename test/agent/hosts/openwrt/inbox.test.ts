import './ucode.ts';
import { expect, it } from 'vitest';
import { createInbox } from '../../../../agent/hosts/openwrt/inbox.ts';

const listen = () => {
  const heard: unknown[] = [];
  const problems: string[] = [];
  const inbox = createInbox({
    onMessage: (topic, payload, retained) => heard.push([topic, payload, retained]),
    onProblem: (text) => problems.push(text),
  });
  return { heard, problems, inbox };
};

/** A message as `mosquitto_sub -F %j` prints it. */
const line = (topic: string, payload: string, more: object = {}) =>
  `${JSON.stringify({ topic, qos: 1, retain: 0, payloadlen: Buffer.byteLength(payload), payload, ...more })}\n`;

it('messages are told in order, however they come in pieces', () => {
  const { heard, problems, inbox } = listen();
  const text = line('a', '{"x":1}') + line('b', '[2]', { retain: 1 }) + line('c', '"}{"');
  for (const piece of text.match(/.{1,7}/gs) ?? []) inbox(piece);
  inbox(text);
  const once = [
    ['a', { x: 1 }, false],
    ['b', [2], true],
    ['c', '}{', false],
  ];
  expect([heard, problems]).toEqual([[...once, ...once], []]);
});

it('what mosquitto_sub says itself is a problem to log', () => {
  const { problems, inbox } = listen();
  inbox('Error: Connection refused\n\n');
  expect(problems).toEqual(['Error: Connection refused']);
});

it.each([
  ['no JSON', '{"topic":\n', 'message dropped: not UTF-8'],
  ['no topic', '{"payload":""}\n', 'message dropped: not UTF-8'],
  ['no payload', '{"topic":"a"}\n', 'message dropped: not UTF-8'],
  ['cut at a NUL byte', line('a', '{}', { payloadlen: 9 }), 'message on a dropped: it has a NUL byte'],
  ['no JSON in it', line('a', '{'), 'message on a dropped: not UTF-8 JSON'],
  ['longer than a message may be', line('a', '1'.repeat(1_048_577)), 'message on a dropped: it is too long'],
  ['deeper than JSON may be', line('a', '['.repeat(5000)), 'message on a dropped: not UTF-8 JSON'],
])('a bad line is dropped, and those after it are heard: %s', (_, bad, problem) => {
  const { heard, problems, inbox } = listen();
  inbox(`${bad}${line('b', '1')}`);
  expect([problems, heard]).toEqual([[problem], [['b', 1, false]]]);
});

it('a line without end takes no more than 2 MiB of memory, and ends at the next line', () => {
  const { heard, problems, inbox } = listen();
  for (let i = 0; i < 7; i += 1) inbox('x'.repeat(1024 * 1024));
  inbox(`x\n${line('b', '1')}`);
  expect([problems, heard]).toEqual([['message dropped: it is too long'], [['b', 1, false]]]);
});
