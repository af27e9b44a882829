import type { MqttLink } from '../../../broker/client.ts';
import type { Clock } from '../../../broker/clock.ts';
import type { ReceiverSettings } from '../../config/settings.ts';
import { alertmanager } from './alertmanager.ts';
import { email } from './email.ts';
import { mqtt } from './mqtt.ts';
import type { Receiver } from './receiver.ts';
import { webhook } from './webhook.ts';

/** What receivers are reached with: `link` is null with the embedded broker. */
export interface Ways {
  clock: Clock;
  link: MqttLink | null;
}

/** The receiver of these settings. Connects nothing. */
export const receiverOf = (settings: ReceiverSettings, { clock, link }: Ways): Receiver => {
  switch (settings.kind) {
    case 'webhook':
      return webhook(settings, clock);
    case 'email':
      return email(settings, clock);
    case 'alertmanager':
      return alertmanager(settings, clock);
    case 'mqtt':
      return mqtt(settings, link);
  }
};
