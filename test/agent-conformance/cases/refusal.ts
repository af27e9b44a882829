import { until } from '../../helpers/until.ts';
import { must } from '../case.ts';
import type { Controller } from '../controller.ts';

/** Prepares something, or what only looks like a `prepare`, and waits until the agent declines it; the reason. */
export const refusal = async (
  controller: Controller,
  command: { run: string; [key: string]: unknown },
): Promise<string> => {
  const from = controller.position;
  await controller.say(command);
  const { run } = command;
  const answer = await until(
    `the agent answers the prepare of ${run}`,
    () => controller.events('declined', { run }, from)[0] ?? controller.events('ready', { run }, from)[0],
    60,
  );
  must(answer.type === 'declined', `it is ready for ${JSON.stringify(command)}`);
  must(answer.token === null && answer.nonce === null, 'token and nonce are not null');
  must(/^[a-z0-9-]+: \S/.test(answer.reason), `the reason does not start with a word and a colon: ${answer.reason}`);
  return answer.reason;
};
