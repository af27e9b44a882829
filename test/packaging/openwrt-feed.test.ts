import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../packaging/root.mjs';
import { tempFolder } from '../helpers/temp-folder.ts';
import { type Built, buildAndUnpack, filesIn, listing, NAMES } from './openwrt/built.ts';

let built: Built;
beforeAll(() => {
  built = buildAndUnpack();
});
afterAll(() => built.remove());

describe('the feed', () => {
  const FEED = join(root, 'packaging/openwrt/feed/perfleet-agent');

  /** A checkout with what the feed needs, as if `npm run build` had been done there. */
  const createCheckout = (): string => {
    const checkout = tempFolder();
    mkdirSync(join(checkout, 'packaging'));
    execFileSync('cp', ['-R', join(root, 'packaging/openwrt'), join(checkout, 'packaging')]);
    execFileSync('cp', [join(root, 'package.json'), checkout]);
    return checkout;
  };

  const make = (checkout: string, out: string) =>
    spawnSync(
      'make',
      [
        '-C',
        join(checkout, 'packaging/openwrt/feed/perfleet-agent'),
        `TOPDIR=${join(root, 'test/packaging/openwrt')}`,
        `OUT=${out}`,
      ],
      {
        encoding: 'utf8',
      },
    );

  it('installs the same files with the same modes, and says the same of the packages', () => {
    const checkout = createCheckout();
    execFileSync('cp', ['-R', built.dist, join(checkout, 'dist')]);
    const out = tempFolder();
    const { status, stderr } = make(checkout, out);
    expect([status, stderr]).toEqual([0, '']);
    for (const name of NAMES) {
      const [installed, packed] = [join(out, name), built.inside(name, 'data')];
      expect(listing(installed)).toEqual(listing(packed));
      for (const path of filesIn(packed))
        expect(readFileSync(join(installed, path)).equals(readFileSync(join(packed, path)))).toBe(true);
      const said = Object.fromEntries(
        readFileSync(join(out, `${name}.txt`), 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(/=(.*)/, 2)),
      );
      const control = built.controlOf(name);
      expect(said).toMatchObject({
        ...{
          version: control['Version'],
          section: control['Section'],
          license: control['License'],
          arch: control['Architecture'],
        },
        ...{
          user: control['Require-User'],
          description: control['Description'],
          conflicts: control['Conflicts'] ?? '',
        },
        conffiles: '/etc/config/perfleet',
      });
      expect(said.depends.split(' ')).toEqual([
        ...['+!PERFLEET_IPERF3_SSL:iperf3', '+PERFLEET_IPERF3_SSL:iperf3-ssl'],
        ...(control['Depends'] ?? '')
          .split(', ')
          .slice(0, -1)
          .map((needed) => `+${needed}`),
      ]);
    }
  });

  it('says what to do when nothing is built yet', () => {
    const checkout = createCheckout();
    const { status, stderr } = make(checkout, tempFolder());
    expect(status).not.toBe(0);
    expect(stderr).toContain(`${checkout}/dist/perfleet-agent.uc is missing: run \`npm run build\` there first`);
  });

  it('is a folder of packages, as the build system looks for them', () => {
    expect(readdirSync(join(FEED, '..'))).toEqual(['perfleet-agent']);
  });
});
