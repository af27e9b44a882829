import { expect, test } from 'vitest';
import { AlertNotice } from '../../../controller/alerts/notice.ts';
import { ControllerFixture, testPlan } from '../../helpers/controller-fixture.ts';
import { until } from '../../helpers/until.ts';
import { Endpoint } from './endpoint.ts';
import { hook } from './receiver-settings.ts';
import { rule } from './rules.ts';
import { downloadOf } from './settled-fixture.ts';

const LOW = rule({ breaches: 1, of: 1 });

/** A controller whose only rule is told to a real webhook, and a device. */
const world = async () => {
  const endpoint = await Endpoint.open();
  const fixture = await ControllerFixture.start({
    check: { enabled: false, tests: [testPlan({ test: 'tcp-download', direction: 'download' })] },
    settings: {
      alerts: [LOW],
      receivers: new Map([['noc', hook(endpoint.url)]]),
    },
  });
  const agent = await fixture.agent('ap-1');
  let runs = 0;
  const run = async (mbit: number) => {
    const id = fixture.order('ap-1');
    await agent.result(await agent.begin(`nonce-${++runs}`), [downloadOf(mbit)]);
    await agent.next('accepted');
    return id;
  };
  const heard = (count: number) =>
    until(`${count} notices were heard`, () => {
      const notices = endpoint.heard.map(({ body }) => AlertNotice.parse(JSON.parse(body)));
      return notices.length >= count ? notices : null;
    });
  return { fixture, run, heard, endpoint };
};

test('a result that is bad is told to a webhook, and the next one that is fine as well', async () => {
  const { run, heard } = await world();
  const id = await run(18);
  expect(await heard(1)).toMatchObject([{ state: 'firing', run: id, reason: '18 Mbit/s is below 20 Mbit/s' }]);
  await run(18);
  await run(30);
  expect(await heard(2)).toMatchObject([
    { state: 'firing' },
    { state: 'resolved', reason: '30 Mbit/s is at least 25 Mbit/s' },
  ]);
});

test('an alert outlives a restart, and ends when a reload takes its rule away', async () => {
  const { fixture, run, heard } = await world();
  await run(18);
  await heard(1);
  await fixture.restart();
  fixture.controller.reload({ ...fixture.settings, alerts: [] });
  const [firing, resolved] = await heard(2);
  expect(resolved).toMatchObject({
    state: 'resolved',
    alert: firing?.alert,
    reason: 'the rule slow is not in force any more',
  });
});

test('a receiver that has another name after a reload or a restart is told the end of what its old name was told, once', async () => {
  const { fixture, run, heard, endpoint } = await world();
  await run(18);
  await heard(1);
  const alerts = [{ ...LOW, notify: ['desk'] }];
  fixture.controller.reload({ ...fixture.settings, alerts, receivers: new Map([['desk', hook(endpoint.url)]]) });
  await run(30);
  expect(await heard(2)).toMatchObject([{ state: 'firing' }, { state: 'resolved' }]);
  await run(18);
  await heard(3);
  // Back to the file with the old name.
  await fixture.restart();
  fixture.controller.reload({ ...fixture.settings, alerts: [] });
  const all = await heard(4);
  expect(all.map(({ state }) => state)).toEqual(['firing', 'resolved', 'firing', 'resolved']);
  expect(all[3]?.alert).toBe(all[2]?.alert);
  const nothingWaits = () => fixture.controller.fleet.status().receivers.every(({ waiting }) => waiting === 0);
  await until('nothing waits', nothingWaits);
});

test('when its device is removed, its alert ends', async () => {
  const { fixture, run, heard } = await world();
  await run(18);
  expect(fixture.controller.fleet.devices.remove('ap-1').ok).toBe(true);
  const [, resolved] = await heard(2);
  expect(resolved).toMatchObject({ state: 'resolved', organization: 'default', reason: 'ap-1 was removed' });
});
