import { type LinkOptions, MqttLink } from '../broker/client.ts';
import { controllerTopic } from '../broker/contract/topics.ts';
import type { Dial } from './broker-connection.ts';

/** What the controller listens to. */
const FILTERS = [
  'perfleet/1/device/+/status',
  'perfleet/1/device/+/event',
  'perfleet/1/device/+/result/+',
  'perfleet/1/server/+/slot',
  controllerTopic(),
];

/** The controller's connection to its broker, not started yet; its last will says that this boot is gone. */
export const controllerLink = (
  dial: Dial,
  { boot, version, ...rest }: { boot: string; version: string } & Pick<LinkOptions, 'clock' | 'random' | 'log'>,
): MqttLink => {
  const payload = { online: false, boot, version };
  const link = new MqttLink({
    ...dial,
    ...rest,
    clientId: `perfleet-controller-${boot}`,
    will: { topic: controllerTopic(), payload, retain: true },
  });
  link.subscribe(FILTERS);
  return link;
};
