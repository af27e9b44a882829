import type { MqttLink } from '../../../broker/client.ts';
import type { MqttSettings } from '../../config/settings.ts';
import { networkReason } from '../../short-reason.ts';
import type { Receiver } from './receiver.ts';

/**
 * Publishes each notice as JSON through the controller's own connection, QoS 1, not retained. `link` is null with the embedded broker,
 * which nobody but devices may enter: there is nobody to hear it.
 */
export const mqtt = ({ topic }: MqttSettings, link: MqttLink | null): Receiver => ({
  send: async (notice) => {
    if (link === null) {
      const reason = 'nobody may read alerts on the embedded broker: set broker.url, and restart the controller';
      return { kind: 'retry', reason };
    }
    try {
      await link.publishText(topic, JSON.stringify(notice));
      return { kind: 'delivered', answer: `the broker took it for ${topic}; who may read that it does not say` };
    } catch (error) {
      return { kind: 'retry', reason: networkReason(error) };
    }
  },
  remind: null,
});
