import { Readable } from 'node:stream';

/** The fields of an MQTT publish that outlive its delivery. */
export interface RetainedPacket {
  cmd: 'publish';
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
}

/** Whether an MQTT topic filter, with its wildcards, covers a topic (MQTT 3.1.1, section 4.7). */
export const filterMatches = (filter: string, topic: string): boolean => {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [index, word] of wanted.entries()) {
    if (word === '#') return true;
    if (index >= levels.length || (word !== '+' && word !== levels[index])) return false;
  }
  return wanted.length === levels.length;
};

/**
 * What Aedes keeps between packets, for a broker whose sessions are all clean: retained messages and the ids of QoS 2 messages under way.
 * There are no stored sessions and no offline queues. A last will lives in its connection, which is where this broker's wills fire from.
 *
 * A subscription without wildcards is one look-up in the map. Aedes's own memory persistence walks all retained topics instead,
 * which makes every connect slower as the fleet grows.
 */
export class CleanSessionPersistence {
  readonly #retained: Map<string, RetainedPacket>;
  readonly #incoming = new Map<string, Set<number>>();

  constructor(retained = new Map<string, RetainedPacket>()) {
    this.#retained = retained;
  }

  /** Aedes insists on an async function. */
  async setup(): Promise<void> {}

  /** An empty payload deletes. The payload is copied: it is a window into a network buffer, which would stay alive as a whole. */
  async storeRetained({ topic, payload, qos }: RetainedPacket): Promise<void> {
    if (payload.length === 0) this.#retained.delete(topic);
    else this.#retained.set(topic, { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain: true });
  }

  createRetainedStreamCombi(filters: string[]): Readable {
    return Readable.from(filters.flatMap((filter) => this.#matching(filter)));
  }

  #matching(filter: string): RetainedPacket[] {
    if (/[+#]/.test(filter)) return [...this.#retained.values()].filter(({ topic }) => filterMatches(filter, topic));
    const packet = this.#retained.get(filter);
    return packet === undefined ? [] : [packet];
  }

  /** QoS 2: only the id is kept, to know a repetition; the message itself was delivered at once. */
  async incomingStorePacket(client: { id: string }, packet: { messageId: number }): Promise<void> {
    const ids = this.#incoming.get(client.id) ?? new Set();
    this.#incoming.set(client.id, ids.add(packet.messageId));
  }

  /** Rejects when the id is not known, as Aedes expects. */
  async incomingGetPacket(client: { id: string }, packet: { messageId: number }): Promise<{ messageId: number }> {
    if (!this.#incoming.get(client.id)?.has(packet.messageId)) throw new Error('no such packet');
    return packet;
  }

  async incomingDelPacket(client: { id: string }, packet: { messageId: number }): Promise<void> {
    this.#incoming.get(client.id)?.delete(packet.messageId);
  }

  async cleanIncoming(client: { id: string }): Promise<void> {
    this.#incoming.delete(client.id);
  }

  async subscriptionsByTopic(): Promise<[]> {
    return [];
  }

  async cleanSubscriptions(): Promise<void> {}

  async outgoingEnqueueCombi(): Promise<void> {}

  async outgoingClearMessageId(): Promise<void> {}

  outgoingStream(): Readable {
    return Readable.from([]);
  }

  async putWill(): Promise<void> {}

  async delWill(): Promise<void> {}

  streamWill(): Readable {
    return Readable.from([]);
  }
}
