import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { runSshKills } from '../kills/ssh-kills.ts';
import { Random } from '../simulation/random.ts';

const SEED = Math.floor(Math.random() * 2 ** 31);

it(`no iperf3 is left when the controller, the connection or the SSH server of a run is killed (seed ${SEED})`, async () => {
  const perfleet = join(inject('programs'), 'perfleet.js');
  const killed = await runSshKills({ times: 3, perfleet, random: new Random(SEED), say: () => {} });
  expect(killed).toMatchObject({ kills: { controller: 1, connection: 1, sshd: 1 }, orphans: [], refused: [] });
}, 180_000);
