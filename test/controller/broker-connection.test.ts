import { expect, it } from 'vitest';
import { makeBroker } from '../../controller/broker-connection.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { RecordedLog } from '../helpers/recorded-log.ts';
import { openStore } from './store/open-store.ts';

const parts = () => ({ clock: new ManualClock(), log: new RecordedLog() });
const external = { kind: 'external', url: 'mqtts://b.example.net', username: 'u', password: 'p' } as const;

it('an external broker is dialled with its credentials, and with TLS files only if there are any', () => {
  const tls = { ca: null, cert: null, key: null };
  const { kind: _, ...dial } = external;
  expect(makeBroker({ ...external, tls }, openStore(), parts())).toEqual({
    broker: null,
    dial: { ...dial, tls: null },
  });
  const files = { ...tls, ca: 'PEM' };
  expect(makeBroker({ ...external, tls: files }, openStore(), parts()).dial.tls).toEqual(files);
});

it('our own broker is reached inside the process, which it can not be before it runs', () => {
  const { broker, dial } = makeBroker(
    { kind: 'embedded', host: '127.0.0.1', port: 0, tls: null },
    openStore(),
    parts(),
  );
  expect(broker?.connected).toBe(0);
  expect(() => dial.stream?.()).toThrow('the broker is not running');
});
