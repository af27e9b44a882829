/** What a client says on an MQTT connection, as far as a rule is about it. MQTT 3.1.1 (level 4) and 5. */
export type Packet =
  | {
      kind: 'connect';
      protocol: string;
      level: number;
      clean: boolean;
      clientId: string;
      username: string | null;
      will: Will | null;
    }
  | { kind: 'publish'; topic: string; payload: Buffer; qos: number; retain: boolean }
  | { kind: 'subscribe'; topics: string[] }
  | { kind: 'disconnect' }
  | { kind: 'other'; type: number };

export interface Will {
  topic: string;
  payload: Buffer;
  qos: number;
  retain: boolean;
}

/** Reads the fields of a packet one after the other. A packet that is too short throws a RangeError. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    this.#at += 1;
    return this.#bytes.readUInt8(this.#at - 1);
  }

  word(): number {
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  take(count: number): Buffer {
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  binary(): Buffer {
    return this.take(this.word());
  }

  text(): string {
    return this.binary().toString();
  }

  /** A number of up to four bytes, seven bits each. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) << shift;
      if (byte < 128) break;
    }
    return value;
  }

  /** MQTT 5 has properties where MQTT 3.1.1 has nothing. */
  skipProperties(level: number): void {
    if (level >= 5) this.take(this.varint());
  }
}

const readConnect = (fields: Fields): Packet => {
  const protocol = fields.text();
  const level = fields.byte();
  const flags = fields.byte();
  fields.word(); // keep-alive
  fields.skipProperties(level);
  const clientId = fields.text();
  let will: Will | null = null;
  if (flags & 4) {
    fields.skipProperties(level);
    const topic = fields.text();
    will = { topic, payload: fields.binary(), qos: (flags >> 3) & 3, retain: (flags & 32) !== 0 };
  }
  const username = flags & 128 ? fields.text() : null;
  return { kind: 'connect', protocol, level, clean: (flags & 2) !== 0, clientId, username, will };
};

const readPublish = (flags: number, fields: Fields, level: number): Packet => {
  const qos = (flags >> 1) & 3;
  const topic = fields.text();
  if (qos > 0) fields.word(); // packet id
  fields.skipProperties(level);
  return { kind: 'publish', topic, payload: fields.take(fields.left), qos, retain: (flags & 1) !== 0 };
};

const readSubscribe = (fields: Fields, level: number): Packet => {
  fields.word(); // packet id
  fields.skipProperties(level);
  const topics: string[] = [];
  while (fields.left > 0) {
    topics.push(fields.text());
    fields.byte();
  }
  return { kind: 'subscribe', topics };
};

/** Reads what a client sends on one connection, in whatever pieces it comes. */
export class PacketReader {
  #rest = Buffer.alloc(0);
  #level = 4;

  /** The packets that are whole now. */
  read(piece: Buffer): Packet[] {
    this.#rest = Buffer.concat([this.#rest, piece]);
    const packets: Packet[] = [];
    for (let packet = this.#next(); packet !== null; packet = this.#next()) packets.push(packet);
    return packets;
  }

  #next(): Packet | null {
    const rest = this.#rest;
    let length = 0;
    let at = 1;
    for (;;) {
      const byte = rest[at];
      if (byte === undefined) return null;
      length += (byte & 127) << (7 * (at - 1));
      at += 1;
      if (byte < 128 || at > 4) break;
    }
    if (rest.length < at + length) return null;
    this.#rest = rest.subarray(at + length);
    return this.#parse(rest.readUInt8(0), new Fields(rest.subarray(at, at + length)));
  }

  #parse(first: number, fields: Fields): Packet {
    const type = first >> 4;
    if (type === 1) {
      const packet = readConnect(fields);
      if (packet.kind === 'connect') this.#level = packet.level;
      return packet;
    }
    if (type === 3) return readPublish(first & 15, fields, this.#level);
    if (type === 8) return readSubscribe(fields, this.#level);
    return type === 14 ? { kind: 'disconnect' } : { kind: 'other', type };
  }
}
