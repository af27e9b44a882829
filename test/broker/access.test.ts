import { describe, expect, test } from 'vitest';
import { mayConnect, mayPublish, maySubscribe, type Principal } from '../../broker/access.ts';

const device: Principal = { kind: 'device', device: 'ap-12' };
const controller: Principal = { kind: 'controller' };
const allowed = { allowed: true };
const refused = (reason: string) => ({ allowed: false, reason });

describe('mayConnect', () => {
  test.each(['ap-12', 'ap-12-pub', 'ap-12-'])('lets a device be %s', (clientId) => {
    expect(mayConnect(device, clientId)).toEqual(allowed);
  });

  test.each(['ap-1', 'ap-123', 'ap', 'AP-12', 'x-ap-12'])('does not let a device be %s', (clientId) => {
    expect(mayConnect(device, clientId)).toEqual(refused('not-your-client-id'));
  });

  test.each(['', 'ap-12/x', 'ap-12 ', 'ap-12-\u0000', 'x'.repeat(130)])(
    'refuses the client id %j to anyone',
    (clientId) => {
      expect(mayConnect(device, clientId)).toEqual(refused('bad-client-id'));
      expect(mayConnect(controller, clientId)).toEqual(refused('bad-client-id'));
    },
  );

  test('lets a controller have any well-formed client id', () => {
    expect(mayConnect(controller, 'perfleet')).toEqual(allowed);
  });
});

describe('mayPublish', () => {
  test.each([
    ['status', true],
    ['status', false],
    ['event', false],
    ['result/r-1', false],
  ])('lets a device publish its own %s (retained: %s)', (topic, retain) => {
    expect(mayPublish(device, `perfleet/1/device/ap-12/${topic}`, retain)).toEqual(allowed);
  });

  test.each(['event', 'result/r-1'])('does not let a device retain its own %s', (topic) => {
    expect(mayPublish(device, `perfleet/1/device/ap-12/${topic}`, true)).toEqual(refused('must-not-be-retained'));
  });

  test.each([
    'perfleet/1/device/ap-12/command',
    'perfleet/1/device/ap-13/status',
    'perfleet/1/device/ap-12/result',
    'perfleet/1/device/ap-12/result/',
    'perfleet/1/device/ap-12/result/a/b',
    'perfleet/1/device/ap-12/result/a b',
    `perfleet/1/device/ap-12/result/${'x'.repeat(65)}`,
    'perfleet/1/device/ap-12/status/',
    'perfleet/1/controller/status',
    'perfleet/1/server/milan-1/slot',
    'perfleet/2/device/ap-12/status',
    '$SYS/heartbeat',
    '',
  ])('does not let a device publish on %j', (topic) => {
    expect(mayPublish(device, topic, false)).toEqual(refused('not-your-topic'));
    expect(mayPublish(device, topic, true)).toEqual(refused('not-your-topic'));
  });

  test.each(['perfleet/1/server/milan-1/slot', 'perfleet/1/controller/status'])(
    'lets a controller publish and retain %s',
    (topic) => {
      expect(mayPublish(controller, topic, true)).toEqual(allowed);
      expect(mayPublish(controller, topic, false)).toEqual(allowed);
    },
  );

  test('lets a controller send commands, but not retain them', () => {
    expect(mayPublish(controller, 'perfleet/1/device/ap-12/command', false)).toEqual(allowed);
    expect(mayPublish(controller, 'perfleet/1/device/ap-12/command', true)).toEqual(refused('must-not-be-retained'));
  });

  test.each([
    'perfleet/1/device/ap-12/status',
    'perfleet/1/device/a b/command',
    'perfleet/1/server/slot',
    '$SYS/heartbeat',
  ])('does not let a controller publish on %s', (topic) => {
    expect(mayPublish(controller, topic, false)).toEqual(refused('not-your-topic'));
  });
});

describe('maySubscribe', () => {
  test.each(['perfleet/1/device/ap-12/command', 'perfleet/1/device/ap-12/status', 'perfleet/1/controller/status'])(
    'lets a device read %s',
    (filter) => {
      expect(maySubscribe(device, filter)).toEqual(allowed);
    },
  );

  test.each(['#', 'perfleet/1/device/+/command', 'perfleet/1/device/ap-12/#', 'perfleet/1/device/ap-12/+', '$SYS/#'])(
    'does not let a device use the wildcards of %s',
    (filter) => {
      expect(maySubscribe(device, filter)).toEqual(refused('wildcard'));
    },
  );

  test.each([
    'perfleet/1/device/ap-12/event',
    'perfleet/1/device/ap-13/command',
    'perfleet/1/server/milan-1/slot',
    '$share/x/perfleet/1/device/ap-12/command',
    '$SYS/heartbeat',
  ])('does not let a device read %s', (filter) => {
    expect(maySubscribe(device, filter)).toEqual(refused('not-your-topic'));
  });

  test('lets a controller read everything below perfleet/1/, and nothing else', () => {
    expect(maySubscribe(controller, 'perfleet/1/#')).toEqual(allowed);
    expect(maySubscribe(controller, 'perfleet/1/device/+/status')).toEqual(allowed);
    for (const filter of ['#', '+/1/#', 'perfleet/#', '$SYS/#', 'perfleet/10/x']) {
      expect(maySubscribe(controller, filter)).toEqual(refused('not-your-topic'));
    }
  });
});
