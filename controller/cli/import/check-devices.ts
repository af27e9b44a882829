import type { z } from 'zod';
import type { NewDevice } from '../../api/device-views.ts';
import type { ApiClient } from '../api-client.ts';
import { type DeviceLine, readDevices } from './devices-csv.ts';
import { findHostKeys, type KeyOptions } from './host-keys.ts';
import type { LineProblem } from './line-problems.ts';

type Order = z.input<typeof NewDevice>;

/** What the controller has against the devices. */
const ask = async (client: ApiClient, lines: readonly DeviceLine[]): Promise<LineProblem[]> => {
  const orders = lines.map(({ line: _, expected: _e, isClear: _c, ...order }) => order);
  const { problems } = await client.checkDevices(orders);
  return problems.map(({ index, message }) => ({ line: lines[index]?.line ?? 0, message }));
};

/**
 * The devices of a CSV text as they are to be added, and everything that is wrong as far as it can be known: with the text, with what it says
 * to the controller, and with what the devices show. Only when nothing is wrong all devices are there.
 */
export const checkDevices = async (
  client: ApiClient,
  text: string,
  options: KeyOptions,
): Promise<{ orders: Order[]; problems: LineProblem[] }> => {
  const { devices, problems } = readDevices(text);
  const clear = devices.filter(({ isClear }) => isClear);
  problems.push(...(await ask(client, clear)));
  const wrong = new Set(problems.map(({ line }) => line));
  const right = clear.filter(({ line }) => !wrong.has(line));
  const { keys, problems: more } = await findHostKeys(client, right, options);
  const orders = right.map(({ device, organization, tags, uplink_group, ssh }): Order => {
    const host_key = keys.get(device);
    const reached = ssh === null || host_key === undefined ? null : { ...ssh, host_key };
    return { device, organization, tags, uplink_group, ssh: reached };
  });
  return { orders, problems: [...problems, ...more] };
};
