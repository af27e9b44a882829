import { connectAsync, type MqttClient } from 'mqtt';
import { statusTopic } from '../../broker/contract/topics.ts';
import type { Credentials } from './real-fleet.ts';
import { until } from './until.ts';

/** Somebody with a device's credentials and a plain MQTT client: publishes whatever a test likes, true or not. */
export class RawDevice {
  readonly #device: string;
  readonly #client: MqttClient;

  private constructor(device: string, client: MqttClient) {
    this.#device = device;
    this.#client = client;
    client.on('error', () => {});
  }

  static async connect(credentials: Credentials & { broker: string }, clientId: string): Promise<RawDevice> {
    const { device, username, password, broker } = credentials;
    const options = { clientId, username, password, protocolVersion: 4, reconnectPeriod: 500 } as const;
    return new RawDevice(device, await connectAsync(broker, options));
  }

  /** Resolves when the broker has acknowledged it. */
  async publish(topic: string, payload: string, { retain = false } = {}): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos: 1, retain });
  }

  /** The retained status of the device, as the broker has it. */
  async status(): Promise<unknown> {
    let found: unknown = null;
    this.#client.on('message', (_topic, payload) => {
      found = JSON.parse(payload.toString());
    });
    await this.#client.subscribeAsync(statusTopic(this.#device), { qos: 1 });
    return until('the broker sends the status', () => found);
  }

  async stop(): Promise<void> {
    await this.#client.endAsync(true);
  }
}
