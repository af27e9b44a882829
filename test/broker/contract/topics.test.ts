import { expect, expectTypeOf, test } from 'vitest';
import type {
  AgentEvent,
  AgentStatus,
  Command,
  ControllerStatus,
  PayloadOf,
  RunResult,
  SlotStatus,
} from '../../../broker/contract/messages.ts';
import {
  commandTopic,
  controllerTopic,
  eventTopic,
  resultTopic,
  slotTopic,
  statusTopic,
  TOPIC_PREFIX,
} from '../../../broker/contract/topics.ts';

test('the topics are those of the contract', () => {
  const topics = [
    statusTopic('d'),
    commandTopic('d'),
    eventTopic('d'),
    resultTopic('d', 'r'),
    slotTopic('s'),
    controllerTopic(),
  ];
  expect(topics).toEqual([
    'perfleet/1/device/d/status',
    'perfleet/1/device/d/command',
    'perfleet/1/device/d/event',
    'perfleet/1/device/d/result/r',
    'perfleet/1/server/s/slot',
    'perfleet/1/controller/status',
  ]);
  for (const topic of topics) expect(topic.startsWith(`${TOPIC_PREFIX}/`)).toBe(true);
});

test('each topic has its payload, and a topic that is only a string has none', () => {
  expectTypeOf<PayloadOf<ReturnType<typeof statusTopic>>>().toEqualTypeOf<AgentStatus>();
  expectTypeOf<PayloadOf<ReturnType<typeof commandTopic>>>().toEqualTypeOf<Command>();
  expectTypeOf<PayloadOf<ReturnType<typeof eventTopic>>>().toEqualTypeOf<AgentEvent>();
  expectTypeOf<PayloadOf<ReturnType<typeof resultTopic>>>().toEqualTypeOf<RunResult>();
  expectTypeOf<PayloadOf<ReturnType<typeof slotTopic>>>().toEqualTypeOf<SlotStatus>();
  expectTypeOf<PayloadOf<ReturnType<typeof controllerTopic>>>().toEqualTypeOf<ControllerStatus>();
  expectTypeOf<PayloadOf<string>>().toBeNever();
});
