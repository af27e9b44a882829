import type { ClientChannel } from 'ssh2';
import type { Clock } from '../../../broker/clock.ts';
import type { Connection } from './connection.ts';
import { collect } from './output.ts';
import { SshFailure } from './ssh-failure.ts';

const OUTPUT_LIMIT = 64 * 1024;

/** Runs a command line on a device. `onOpen` is called once, with its channel, or without one when there can be none. */
export const openChannel = (
  { client }: Connection,
  commandLine: string,
  onOpen: (channel: ClientChannel | null) => void,
): void => {
  try {
    client.exec(commandLine, (error, channel) => onOpen(error === undefined ? channel : null));
  } catch {
    onOpen(null); // the connection is over
  }
};

/**
 * Runs a command line on a device and resolves with its exit code and stdout. Rejects with an SshFailure after `limit_ms`, with more than 64 KiB
 * of output, and when the connection is lost.
 */
export const runRemotely = (
  connection: Connection,
  commandLine: string,
  { clock, limit_ms }: { clock: Clock; limit_ms: number },
): Promise<{ exit_code: number; stdout: string }> =>
  new Promise((resolve, reject) => {
    const fail = (code: 'device-unreachable' | 'ssh-failed', message: string) => {
      cancel();
      reject(new SshFailure(code, message));
    };
    const cancel = clock.after(limit_ms, () => {
      fail('ssh-failed', `its shell did not answer within ${limit_ms / 1000} s`);
    });
    openChannel(connection, commandLine, (channel) => {
      if (channel === null) return fail('device-unreachable', 'the connection was lost, or it runs no commands');
      const stdout = collect(channel, OUTPUT_LIMIT, () => fail('ssh-failed', 'its shell talks too much'));
      channel.stderr.resume();
      channel.once('close', (exit_code?: number | null) => {
        if (exit_code === undefined) return fail('device-unreachable', 'the connection was lost');
        if (exit_code === null) return fail('ssh-failed', 'its shell was killed');
        cancel();
        resolve({ exit_code, stdout: stdout() });
      });
      channel.end();
    });
  });
