import { describe, expect, it } from 'vitest';
import { runAlone } from './small-controller.ts';

const COMMANDS = [
  ['demo'],
  ['serve'],
  ['check-config'],
  ['agent'],
  ['device', 'add'],
  ['device', 'list'],
  ['device', 'show'],
  ['device', 'remove'],
  ['server', 'list'],
  ['run'],
  ['results'],
  ['suppress'],
  ['resume'],
  ['parse'],
];

describe('help', () => {
  it.each(COMMANDS)('of %s %s names its options and shows an example', async (...words) => {
    const argv = words.filter((word) => word !== undefined);
    const { code, out, err } = await runAlone([...argv, '--help']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^Usage: perfleet ${argv.join(' ')} `));
    expect(out).toMatch(/\nExample:\n {2}.*perfleet /);
  });

  it.each(COMMANDS.filter(([word]) => word !== 'serve' && word !== 'agent'))(
    'of %s %s knows --json',
    async (...words) => {
      const argv = words.filter((word) => word !== undefined);
      expect((await runAlone([...argv, '--help'])).out).toContain('--json');
    },
  );

  it('lists the commands', async () => {
    const { code, out } = await runAlone(['--help']);
    expect(code).toBe(0);
    for (const [command] of COMMANDS) expect(out).toContain(`\n  ${command} `);
  });
});

it('--version prints the version of the package', async () => {
  expect(await runAlone(['--version'])).toEqual({ code: 0, out: '0.1.0\n', err: '' });
});

describe('a wrong call exits with 2 and says what is wrong', () => {
  it.each([
    [['rnu'], "error: unknown command 'rnu'\n(Did you mean run?)\n"],
    [['device', 'lst'], "error: unknown command 'lst'\n(Did you mean list?)\n"],
    [['results', '--sinc', '1h'], "error: unknown option '--sinc'\n(Did you mean --since?)\n"],
    [['run'], "error: missing required argument 'device'\n"],
    [['run', 'a', 'b'], "error: too many arguments for 'run'. Expected 1 argument but got 2.\n"],
    [['agent'], "error: required option '--config <file>' not specified\n"],
    [
      ['serve', '--log-level', 'loud'],
      "error: option '--log-level <level>' argument 'loud' is invalid. Allowed choices are debug, info, warn, error.\n",
    ],
    [
      ['suppress', '--device', 'a', '--tag', 'b'],
      "error: option '--device <device>' cannot be used with option '--tag <tag>'\n",
    ],
    [
      ['suppress', '--for', '2h', '--until', '2026-11-22T06:00:00Z'],
      "error: option '--for <length>' cannot be used with option '--until <time>'\n",
    ],
    [
      ['suppress', '--for', '0s'],
      "error: option '--for <length>' argument '0s' is invalid. Expected a length such as 2h or 30m.\n",
    ],
    [
      ['suppress', '--for', 'ever'],
      "error: option '--for <length>' argument 'ever' is invalid. Expected a length such as 2h or 30m.\n",
    ],
    [
      ['suppress', '--until', 'tomorrow'],
      "error: option '--until <time>' argument 'tomorrow' is invalid. Expected a time such as 2026-11-22T06:00:00Z.\n",
    ],
    [
      ['suppress', '--list', '--server', 'a'],
      "error: option '--list' cannot be used with option '--server <server>'\n",
    ],
    [['resume', '--all', '--server', 'a'], "error: option '--all' cannot be used with option '--server <server>'\n"],
    [['parse', '--stderr', 'x', 'a', 'b'], 'error: --stderr goes with one file\n'],
  ])('%j', async (argv, err) => {
    expect(await runAlone(argv)).toEqual({ code: 2, out: '', err });
  });

  it.each([[[]], [['device']], [['server']]])('%j shows what there is', async (argv) => {
    const { code, out, err } = await runAlone(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^Usage: perfleet /);
  });
});
