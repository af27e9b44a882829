import { beforeEach, describe, expect, it } from 'vitest';
import { quietView } from '../alerts/receiver-settings.ts';
import { smallController } from './small-controller.ts';

let controller: Awaited<ReturnType<typeof smallController>>;

const NOC = quietView({ last_success: '2026-11-22T02:00:40.000Z' });
const BOSS = quietView({
  receiver: 'boss',
  kind: 'email',
  waiting: 12,
  set_aside: 1,
  last_error: 'no\x1b[2J answer',
  last_refusal: '550 no such\nuser',
});

beforeEach(async () => {
  controller = await smallController();
  controller.service.listedReceivers.push(NOC, BOSS);
});

const cli = (...argv: string[]) => controller.cli(...argv);

describe('alerts receivers', () => {
  it('is a table of who is told, what waits and why', async () => {
    expect(await cli('alerts', 'receivers')).toEqual({
      code: 0,
      out: `receiver  kind     waiting  set aside  dropped  last success (UTC)   error
noc       webhook        0          0        0  2026-11-22 02:00:40  -
boss      email         12          1        0  -                    no?[2J answer
`,
      err: 'boss refused a notice: 550 no such user\n',
    });
  });

  it('--json is that part of the status', async () => {
    expect(JSON.parse((await cli('alerts', 'receivers', '--json')).out)).toEqual([NOC, BOSS]);
  });

  it('without receivers it says where they would be', async () => {
    controller.service.listedReceivers.length = 0;
    expect(await cli('alerts', 'receivers')).toEqual({
      code: 0,
      out: '',
      err: 'no receivers: list them under `receivers` in the configuration\n',
    });
  });
});

describe('alerts test', () => {
  it('says what the receiver answered, and fails when it did not take the test', async () => {
    expect(await cli('alerts', 'test', 'noc')).toEqual({
      code: 0,
      out: 'noc took the test test-1: it answered 200\n',
      err: '',
    });
    expect(await cli('alerts', 'test', 'boss')).toEqual({
      code: 1,
      out: '',
      err: 'perfleet: boss did not take the test: no?[2J answer\n',
    });
  });

  it('--json has the same exit code', async () => {
    const { code, out } = await cli('alerts', 'test', 'noc', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { receiver: 'noc', delivered: true }]);
    expect(await cli('alerts', 'test', 'boss', '--json')).toMatchObject({ code: 1, err: '' });
  });

  it('a receiver that is not there, and a name that is none', async () => {
    expect(await cli('alerts', 'test', 'nobody')).toMatchObject({
      code: 1,
      err: 'perfleet: there is no receiver nobody in the configuration\n',
    });
    expect(await cli('alerts', 'test', 'no body')).toMatchObject({ code: 2 });
  });
});

describe('alerts retry', () => {
  it('says how many notices are sent again, of one receiver or of all', async () => {
    expect(await cli('alerts', 'retry', 'boss')).toEqual({ code: 0, out: '1 notice will be sent again.\n', err: '' });
    expect(await cli('alerts', 'retry', 'noc')).toMatchObject({ out: '0 notices will be sent again.\n' });
    expect(JSON.parse((await cli('alerts', 'retry', '--json')).out)).toEqual({ requeued: 1 });
  });

  it('a receiver that is not there, and a name that is none', async () => {
    expect(await cli('alerts', 'retry', 'nobody')).toMatchObject({
      code: 1,
      err: 'perfleet: there is no receiver nobody in the configuration\n',
    });
    expect(await cli('alerts', 'retry', 'no body')).toMatchObject({ code: 2 });
  });
});
