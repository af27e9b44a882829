import { afterEach, expect, it, vi } from 'vitest';
import { processIo } from '../../../controller/cli/io.ts';
import { until } from '../../helpers/until.ts';

const argv = process.argv;
const errorListeners = process.stdout.listeners('error');

afterEach(() => {
  process.argv = argv;
  for (const listener of process.stdout.listeners('error')) {
    if (!errorListeners.includes(listener)) process.stdout.off('error', listener as () => void);
  }
  vi.restoreAllMocks();
});

it('main runs the command of this process and leaves its exit code', async () => {
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += chunk;
    return true;
  });
  process.argv = ['node', 'perfleet', '--version'];
  await import('../../../controller/main.ts');
  expect([text, process.exitCode]).toEqual(['0.1.0\n', 0]);
});

it('a signal goes to its handler until that is taken away', async () => {
  let calls = 0;
  const before = process.listenerCount('SIGHUP');
  const off = processIo().onSignal('SIGHUP', () => {
    calls += 1;
  });
  process.kill(process.pid, 'SIGHUP');
  await until('it arrives', () => calls === 1);
  off();
  expect(process.listenerCount('SIGHUP')).toBe(before);
});

it('a reader that goes away is no error, any other trouble with stdout is', () => {
  processIo();
  process.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  expect(() => process.stdout.emit('error', Object.assign(new Error('no space'), { code: 'ENOSPC' }))).toThrow(
    'no space',
  );
});
