import type { Client } from 'aedes';
import { expect, test } from 'vitest';
import { Admission } from '../../broker/admission.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';

test('a connection that never entered is not obeyed', () => {
  const hooks = new Admission(() => null, new RecordedLog(), new ManualClock()).hooks();
  const packet = { cmd: 'publish', topic: 't', payload: '', qos: 0, dup: false, retain: false } as const;
  for (const client of [null, {} as Client]) {
    expect(() => hooks.authorizePublish?.(client, packet, () => {})).toThrow('a connection that never entered');
  }
});
