import { isIP } from 'node:net';
import type { Action, Exit, Found } from '../../../agent/core/io.ts';
import type { Clock } from '../../../broker/clock.ts';
import { START_WINDOW_MS, WAN_LOOK_MS } from '../../../broker/contract/numbers.ts';
import type { Log } from '../../../broker/log.ts';
import type { Connection } from './connection.ts';
import { readLook } from './found.ts';
import { RemoteGuard } from './remote-guard.ts';
import { command, END_ALL, ENTER, folderOf, guardCommand, LOOK } from './remote-scripts.ts';
import { runRemotely } from './run-remotely.ts';
import { SshFailure } from './ssh-failure.ts';

type Of<K extends Action['kind']> = Extract<Action, { kind: K }>;

export interface RemoteOptions {
  device: string;
  connection: Connection;
  clock: Clock;
  log: Log;
  /** iperf3 has ended, or was not started. Not called when the connection is lost: nothing is known then. */
  onExit: (key: number, exit: Exit) => void;
}

/** A guard, and whether it has its line. */
interface Guarded {
  guard: RemoteGuard;
  running: boolean;
  flooded: boolean;
}

/** Our folder and leftovers: a shell, some programs, at most four seconds of waiting. */
const ENTER_LIMIT_MS = 10_000;

/** Short beside PREPARE_TIMEOUT_MS: two seconds to watch the WAN, and a name to be resolved. */
const LOOK_LIMIT_MS = 7000;

/** The guard kills iperf3 in time only if it has this long: it tells it to end two seconds before. */
const SHORTEST_LIMIT_S = 3;

/** A guard that floods us has this long to end iperf3. */
const FLOOD_GRACE_MS = 3000;

const FLOODED = '\nperfleet: iperf3 was ended, as it printed more than 512 KiB';
const TOO_LATE = 'perfleet: not started: its time was over';
const GUARD_LOST = '\nperfleet: the guard of iperf3 on the device was killed';

/**
 * A device, from the moment we are in until the connection is lost: what the core wants done there. First of all comes `enter`.
 * Invariant: an exit is told only when the process is gone.
 */
export class Remote {
  readonly #options: RemoteOptions;
  readonly #folder: string;
  readonly #guards = new Map<number, Guarded>();
  /** The uptime of the device, in seconds, when it was read, and our time when it came: the device's clock was at least there then. */
  #seen = { uptime_s: 0, at_ms: 0 };
  /** Why it was we who cut the connection. */
  failure: SshFailure | null = null;

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#folder = folderOf(options.device);
  }

  /** Ends what an earlier session left there, and makes our folder. Rejects with an SshFailure. */
  async enter(): Promise<void> {
    const { clock } = this.#options;
    const { exit_code, stdout } = await this.#run(ENTER_LIMIT_MS, ENTER);
    const uptime_s = Number.parseFloat(stdout);
    if (exit_code !== 0 || Number.isNaN(uptime_s))
      throw new SshFailure('ssh-failed', stdout.trim().slice(-300) || `its shell ended with exit code ${exit_code}`);
    this.#seen = { uptime_s, at_ms: clock.now() };
  }

  /** Finds out what a `check` asks for. When that cannot be done the connection is cut for `failure`, and this rejects with it. */
  async look({ host, wan }: Of<'check'>): Promise<Found> {
    const { log, device } = this.#options;
    const name = isIP(host.replace(/%.*$/, '')) === 0 ? host : '';
    const seconds = wan ? `${Math.ceil(WAN_LOOK_MS / 1000)}` : '';
    const { exit_code, stdout } = await this.#run(LOOK_LIMIT_MS, LOOK, name, seconds).catch((failure: SshFailure) =>
      this.#giveUp(failure),
    );
    if (exit_code !== 0)
      return this.#giveUp(new SshFailure('ssh-failed', `its shell ended with exit code ${exit_code}`));
    const { seen, ...found } = readLook(stdout, wan);
    if (seen !== null && 'problem' in seen)
      log.warn({ device, problem: seen.problem }, 'cross-traffic is not looked at');
    return { ...found, wan: seen !== null && 'wan' in seen ? seen.wan : null };
  }

  /** Lets a guard wait for the `spawn` with its key. */
  arm(action: Of<'arm'>): void {
    this.#open(action);
  }

  /** Ends a guard that waits, if there is one. */
  disarm(key: number): void {
    this.#guards.get(key)?.guard.over();
    this.#guards.delete(key);
  }

  /** Runs iperf3, under the guard that waits for it or a new one. */
  spawn(action: Of<'spawn'>): void {
    const { clock, onExit } = this.#options;
    const { key, until_ms } = action;
    const now_ms = clock.now();
    const limit_s = Math.floor((until_ms - now_ms) / 1000);
    if (limit_s < SHORTEST_LIMIT_S) {
      this.disarm(key);
      onExit(key, { exit_code: null, stdout: '', stderr: TOO_LATE });
      return;
    }
    const guarded = this.#guards.get(key) ?? this.#open(action);
    guarded.running = true;
    guarded.guard.say(`${limit_s} ${this.#latestStart(now_ms)}\n`);
  }

  /** TERM is the end of the guard's stdin, which it follows with KILL. KILL ends all that is ours on the device, or cuts the connection. */
  kill({ key, signal }: Of<'kill'>): void {
    if (signal === 'TERM') this.#guards.get(key)?.guard.over();
    else void this.#endAll();
  }

  /** The iperf3 that was running when the connection was lost, and its output so far. */
  unended(): { key: number; stdout: string; stderr: string } | null {
    for (const [key, { guard, running }] of this.#guards) {
      if (running) return { key, stdout: guard.stdout(), stderr: guard.stderr() };
    }
    return null;
  }

  #open({ key, argv, env, key_file }: Of<'arm' | 'spawn'>): Guarded {
    const password = env['IPERF3_PASSWORD'];
    const secrets = password === undefined || key_file === null ? null : `${password}\n${key_file.text}\n.\n`;
    const guarded: Guarded = {
      running: false,
      flooded: false,
      guard: new RemoteGuard(
        this.#options.connection,
        guardCommand(this.#folder, argv, secrets !== null),
        (exit_code) => void this.#onEnd(key, exit_code),
        () => this.#onFlood(guarded),
      ),
    };
    if (secrets !== null) guarded.guard.say(secrets);
    this.#guards.set(key, guarded);
    return guarded;
  }

  /** What is said now must reach the device while its uptime is below this, in seconds: START_WINDOW_MS at most. */
  #latestStart(now_ms: number): number {
    const { uptime_s, at_ms } = this.#seen;
    return Math.floor(uptime_s + (now_ms - at_ms + START_WINDOW_MS) / 1000);
  }

  async #onEnd(key: number, exit_code: number | null): Promise<void> {
    const guarded = this.#guards.get(key);
    if (guarded === undefined) return; // disarmed
    // One that only waited is no harm: `spawn` opens another, and hears what is wrong.
    if (!guarded.running) this.#guards.delete(key);
    else if (exit_code !== null || (await this.#endAll())) {
      this.#guards.delete(key);
      const { guard, flooded } = guarded;
      const note = exit_code === null ? GUARD_LOST : '';
      const stderr = `${guard.stderr()}${flooded ? FLOODED : note}`;
      this.#options.onExit(key, { exit_code, stdout: guard.stdout(), stderr });
    }
  }

  #onFlood(guarded: Guarded): void {
    if (guarded.flooded) return;
    guarded.flooded = true;
    guarded.guard.over();
    this.#options.clock.after(FLOOD_GRACE_MS, () => {
      if (!guarded.guard.ended) void this.#endAll();
    });
  }

  /** Ends all that is ours on the device. When that fails the connection is cut: nothing is known of what runs there. */
  async #endAll(): Promise<boolean> {
    const { exit_code } = await this.#run(ENTER_LIMIT_MS, END_ALL).catch(() => ({ exit_code: null }));
    if (exit_code !== 0) this.#options.connection.cut();
    return exit_code === 0;
  }

  /** Leaves nothing behind, and cuts the connection. */
  async #giveUp(failure: SshFailure): Promise<never> {
    this.failure = failure;
    await this.#endAll();
    this.#options.connection.cut();
    throw failure;
  }

  #run(limit_ms: number, script: string, ...args: string[]) {
    const { connection, clock } = this.#options;
    return runRemotely(connection, command(script, this.#folder, ...args), { clock, limit_ms });
  }
}
