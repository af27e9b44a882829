import '../../../../agent/hosts/node/builtins.ts';
import { expect, it } from 'vitest';
import { rehearse } from '../../../../agent/hosts/node/rehearsal.ts';
import { stored } from '../../core/bench.ts';

it('goes through all of a run, whatever the owner of the device allows, and leaves kept results alone', () => {
  const played = rehearse({
    ...{ device: 'ap-12', boot: 'boot-a', agent: '0.1.0', host: 'node', iperf3: null, key_path: '/tmp/x/key.pem' },
    limits: { max_duration_s: 0, max_streams: 0, max_bitrate: 1, servers: [] },
    random: () => 'n',
    stored: [stored('r-0', 3)],
  });
  const kinds = new Set(played.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(
    ['arm', 'check', 'forget_result', 'log', 'publish', 'spawn', 'store_result', 'wake'].sort(),
  );
  const said = played.flatMap((action) => (action.kind === 'publish' ? [action.what] : []));
  expect(said.filter((what) => what !== 'status')).toEqual(['event', 'event', 'event', 'result']);
});
