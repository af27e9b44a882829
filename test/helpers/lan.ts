import { Namespaces, run } from './namespaces.ts';

/** One place on the LAN. */
export interface Place {
  namespace: string;
  address: string;
}

interface Plugged extends Place {
  /** The port of the bridge. */
  port: string;
}

let lans = 0;

/** The first three numbers of a /24 of 198.18.0.0/15 (for benchmarks, RFC 2544) of which this machine has no address yet. */
const freeNet = (): string => {
  const taken = run('addresses', 'ip', '-o', '-4', 'address');
  for (let n = process.pid; ; n += 1) {
    const net = `198.${18 + ((n >> 8) & 1)}.${n & 255}.`;
    if (!taken.includes(` ${net}`)) return net;
  }
};

const bridge = (...args: string[]): string => run('a bridge and veth (CAP_NET_ADMIN)', 'ip', ...args);

/**
 * A LAN in network namespaces: a bridge in one of its own, to which this process and places with addresses of their own are plugged. Nothing
 * leads out of it. `remove()` takes all of it away; the next LAN of another process does that for one that was killed.
 */
export class Lan {
  /** This process's. */
  readonly address: string;
  readonly #net = freeNet();
  readonly #label = `lan${lans++}`;
  readonly #namespaces = new Namespaces();
  readonly #hub: string;
  readonly #places = new Map<string, Plugged>();
  #ports = 0;

  constructor() {
    this.#hub = this.#namespaces.add(`${this.#label}-hub`);
    this.address = `${this.#net}1`;
    try {
      bridge('-n', this.#hub, 'link', 'add', 'br0', 'type', 'bridge');
      bridge('-n', this.#hub, 'link', 'set', 'br0', 'up');
      this.#plug(null, this.address);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** A place with this last number (2 to 254) in its address. */
  add(label: string, number: number): Place {
    const namespace = this.#namespaces.add(`${this.#label}-${label}`);
    const address = `${this.#net}${number}`;
    const port = this.#plug(namespace, address);
    this.#places.set(namespace, { namespace, address, port });
    return { namespace, address };
  }

  /** Takes a place away, from which everything has gone. */
  delete({ namespace }: Place): void {
    this.#places.delete(namespace);
    this.#namespaces.delete(namespace);
  }

  /** Pulls the plug of a place, or puts it in again. Nobody says goodbye: packets are lost. */
  setLink({ namespace }: Place, state: 'up' | 'down'): void {
    const port = this.#places.get(namespace)?.port;
    if (port === undefined) throw new Error(`${namespace} is not on this LAN`);
    bridge('-n', this.#hub, 'link', 'set', port, state);
  }

  /** The command line that runs a command at a place. */
  inside({ namespace }: Place, ...command: string[]): string[] {
    const [program, args] = this.#namespaces.inside(namespace, ...command);
    return [program, ...args];
  }

  /** Its namespaces take their ends of links with them, and those the other ends. */
  remove(): void {
    this.#namespaces.remove();
  }

  #plug(namespace: string | null, address: string): string {
    const name = `pf${process.pid}${this.#label.slice(3)}p${this.#ports++}`;
    const [device, port] = [`${name}d`, `${name}h`];
    bridge('link', 'add', device, 'type', 'veth', 'peer', 'name', port);
    bridge('link', 'set', port, 'netns', this.#hub);
    bridge('-n', this.#hub, 'link', 'set', port, 'master', 'br0', 'up');
    const at = namespace === null ? [] : ['-n', namespace];
    if (namespace !== null) bridge('link', 'set', device, 'netns', namespace);
    // The same address has the same hardware again after a reboot, so nobody has to learn it anew.
    const number = Number(address.split('.').at(-1)).toString(16).padStart(2, '0');
    bridge(...at, 'link', 'set', device, 'address', `02:00:00:00:00:${number}`);
    bridge(...at, 'address', 'add', `${address}/24`, 'dev', device);
    bridge(...at, 'link', 'set', device, 'up');
    return port;
  }
}
