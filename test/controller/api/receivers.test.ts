import { expect, it } from 'vitest';
import { Problem } from '../../../controller/api/problem.ts';
import { quietView } from '../alerts/receiver-settings.ts';
import { servedApi } from './served-api.ts';

const NOC = quietView();

it('a test of a receiver tells what came back, and which receiver there is not', async () => {
  const api = await servedApi();
  api.service.listedReceivers.push(NOC, { ...NOC, receiver: 'old', last_error: 'it gave no answer' });
  const tested = async (receiver: string) => {
    const answer = await api.post(`/api/1/receivers/${receiver}/test`, undefined);
    return [answer.status, await answer.json()];
  };
  expect(await tested('noc')).toEqual([
    200,
    { receiver: 'noc', id: 'test-1', delivered: true, answer: 'it answered 200' },
  ]);
  expect(await tested('old')).toMatchObject([200, { delivered: false, answer: 'it gave no answer' }]);
  const [status, problem] = await tested('nobody');
  expect([status, Problem.parse(problem).error]).toEqual([404, 'not-found']);
  expect(await (await api.call('/api/1/status')).json()).toMatchObject({ receivers: [NOC, { receiver: 'old' }] });
});

it('what receivers refused is sent again, of one or of all', async () => {
  const api = await servedApi();
  api.service.listedReceivers.push({ ...NOC, set_aside: 2 }, { ...NOC, receiver: 'boss', set_aside: 3 });
  const retried = async (path: string) => {
    const answer = await api.post(`/api/1/receivers/${path}`, undefined);
    return [answer.status, await answer.json()];
  };
  expect(await retried('noc/retry')).toEqual([200, { requeued: 2 }]);
  expect(await retried('retry')).toEqual([200, { requeued: 5 }]);
  expect(await retried('nobody/retry')).toMatchObject([404, { error: 'not-found' }]);
});
