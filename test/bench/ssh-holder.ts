import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { SshField } from '../helpers/ssh-field.ts';
import { buildProgram } from './build-program.ts';
import type { Held, ToHold } from './ssh-plan.ts';

/** So many devices wait, in each stage; the first is for what the process needs anyway. */
const STAGES = [1, 50, 300];

/** Longer than a stage takes. Milliseconds. */
const LIFE_MS = 200_000;

export type HeldStage = Exclude<Held, { problem: string }> & { asked: number };

/**
 * Lets an SSH driver in a process of its own hold devices that wait for a server. Their names are many, the routers few: a router has a session
 * for each name.
 */
export const holdSessions = async (field: SshField, signal: AbortSignal): Promise<HeldStage[]> => {
  const file = await buildProgram('ssh-hold');
  const [server] = field.servers.values();
  const targets: ToHold['targets'] = {};
  for (let index = 0; index < Math.max(...STAGES); index += 1) {
    const router = field.routers[index % field.routers.length];
    if (router !== undefined) targets[`held-${index + 1}`] = router.server.target();
  }
  const child = fork(file, { execArgv: ['--expose-gc'], signal, killSignal: 'SIGKILL', timeout: LIFE_MS });
  const gone = once(child, 'exit');
  const heard = new Promise<HeldStage[]>((resolve, reject) => {
    const stages: HeldStage[] = [];
    child.on('message', (held: Held) => {
      if ('problem' in held) return reject(new Error(held.problem));
      stages.push({ asked: STAGES[stages.length] ?? 0, ...held });
      if (stages.length === STAGES.length) resolve(stages);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the process that holds sessions has ended')));
  });
  try {
    const order: ToHold = { targets, stages: STAGES, server: { host: server?.host ?? '', port: server?.port ?? 0 } };
    child.send(order);
    return await heard;
  } finally {
    if (child.connected) child.disconnect();
    await gone;
  }
};
