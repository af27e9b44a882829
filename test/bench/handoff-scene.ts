import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sleep, systemClock } from '../../broker/clock.ts';
import { buildProgram, CACHE } from './build-program.ts';
import { Agents } from './handoff-agents.ts';
import { Gaps } from './handoff-gaps.ts';
import { HOST, MOST_AGENTS, SECRET } from './handoff-plan.ts';
import { RoundTrips } from './handoff-round-trip.ts';
import { type Memory, memoryOf } from './memory.ts';

/** How often the controller is asked whether it is there yet. */
const ASK_MS = 200;

const Ports = z.object({ http_port: z.int(), mqtt_port: z.int() });
const Status = z.object({ in_charge: z.boolean(), devices_online: z.int() });

/** Each connection is an open file, here and in the controller's process. Node.js raises its soft limit to the hard one by itself. */
const checkFileLimit = (): void => {
  const limit = /^Max open files +\d+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const needed = MOST_AGENTS + 500;
  if (Number(limit) >= needed) return;
  throw new Error(
    `${MOST_AGENTS} connections need ${needed} open files, and the hard limit is ${limit}: raise it (ulimit -Hn ${needed})`,
  );
};

/**
 * A controller and the far client of the bare round trips as processes of their own, agents and the near client in this one. The store is
 * in the repository: /tmp may be memory. After `stop()` no process, connection or file is left.
 */
export class Scene {
  readonly gaps = new Gaps();
  readonly #folder = mkdtempSync(join(CACHE, 'handoff-'));
  readonly #onGone: (error: Error) => void;
  readonly #children: ChildProcess[] = [];
  #agents: Agents | null = null;
  #trips: RoundTrips | null = null;
  #api = '';

  /** `onGone`: a process has ended that must not. */
  constructor(onGone: (error: Error) => void) {
    this.#onGone = onGone;
  }

  /** Resolves when the controller grants slots. */
  async start(): Promise<{ agents: Agents; trips: RoundTrips }> {
    checkFileLimit();
    const controller = this.#spawn(await buildProgram('handoff-controller'), [this.#folder]);
    const { http_port, mqtt_port } = Ports.parse((await once(controller, 'message'))[0]);
    this.#api = `http://${HOST}:${http_port}/api/1`;
    const url = `mqtt://${HOST}:${mqtt_port}`;
    await once(this.#spawn(await buildProgram('handoff-echo'), [url]), 'message');
    const trips = new RoundTrips(url, systemClock);
    const agents = new Agents(url, systemClock, this.gaps);
    this.#trips = trips;
    this.#agents = agents;
    await trips.start();
    await this.#until(({ in_charge }) => in_charge);
    return { agents, trips };
  }

  async stop(): Promise<void> {
    await this.#trips?.stop();
    await this.#agents?.stop();
    for (const child of this.#children) {
      child.removeAllListeners('exit');
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    }
    rmSync(this.#folder, { recursive: true });
  }

  /** Resolves when the controller knows of so many agents that they are online. */
  async online(agents: number): Promise<void> {
    await this.#until(({ devices_online }) => devices_online === agents);
  }

  /** One run of this device, on any server. */
  async order(device: string): Promise<void> {
    await this.#ask('/runs', { method: 'POST', body: JSON.stringify({ device, server: null }) });
  }

  controllerMemory(): Memory {
    return memoryOf(this.#children[0]?.pid ?? 0);
  }

  async #until(good: (status: z.infer<typeof Status>) => boolean): Promise<void> {
    while (!good(Status.parse(await this.#ask('/status', {})))) await sleep(systemClock, ASK_MS);
  }

  async #ask(path: string, request: RequestInit): Promise<unknown> {
    const headers = { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' };
    const answer = await fetch(`${this.#api}${path}`, { ...request, headers });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  }

  #spawn(file: string, args: string[]): ChildProcess {
    const child = fork(file, args);
    child.once('exit', (code) => this.#onGone(new Error(`${file} ended with ${code}`)));
    this.#children.push(child);
    return child;
  }
}
