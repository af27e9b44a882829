import type { MqttLink } from '../../broker/client.ts';
import { type Inbound, parseInbound } from '../../broker/contract/inbound.ts';
import type { Command, SlotStatus } from '../../broker/contract/messages.ts';
import { commandTopic, slotTopic } from '../../broker/contract/topics.ts';
import type { Log } from '../../broker/log.ts';
import type { Driver, PrepareOrder, StartOrder } from './driver.ts';

/** With its stack: nobody expected it. */
const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/**
 * Runs over MQTT: the commands of the contract to agents, and their messages back, each parsed once.
 * A command that can't be sent now is dropped: whoever needs an answer repeats until it has one.
 */
export class MqttDriver implements Driver {
  readonly #link: MqttLink;
  readonly #log: Log;
  /** Messages that did not parse, by reason of being dropped; shown by the status API. */
  dropped = 0;

  constructor(link: MqttLink, log: Log) {
    this.#link = link;
    this.#log = log;
  }

  /** Calls `handler` with each message of the contract; what does not parse is counted, logged with its topic and dropped. */
  onMessage(handler: (message: Inbound, retained: boolean) => void): void {
    this.#link.onMessage((topic, payload, retained) => {
      // An emptied retained message: nothing is said.
      if (payload.length === 0) return;
      const message = parseInbound(topic, payload);
      if (message.kind !== 'dropped') {
        try {
          handler(message, retained);
        } catch (error) {
          this.#log.error({ topic, error: describe(error) }, 'a message could not be handled: this is a defect');
        }
        return;
      }
      this.dropped += 1;
      this.#log.warn({ topic, reason: message.reason }, 'dropped a message that is not of the contract');
    });
  }

  prepare({ device, ...order }: PrepareOrder, { host, port, auth }: Parameters<Driver['prepare']>[1]): void {
    this.#command(device, { ...order, server: { host, port, auth } });
  }

  /** The same token and nonce always make the same bytes. */
  start({ device, ...order }: StartOrder): void {
    this.#command(device, { type: 'start', ...order });
  }

  cancel(device: string, run: string, reason: string): void {
    this.#command(device, { type: 'cancel', run, reason });
  }

  accepted(device: string, run: string, token: number): void {
    this.#command(device, { type: 'accepted', run, token });
  }

  /** Tells everybody who holds a server's slot. */
  slot(server: string, status: SlotStatus): void {
    this.#send(this.#link.publish(slotTopic(server), status, { retain: true }), { server });
  }

  #command(device: string, command: Command): void {
    this.#send(this.#link.publish(commandTopic(device), command), { device, type: command.type });
  }

  #send(sent: Promise<void>, about: object): void {
    sent.catch((error: unknown) => this.#log.debug({ ...about, error: String(error) }, 'could not be sent now'));
  }
}
