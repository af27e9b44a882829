import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Every namespace of ours: `perfleet-PID-LABEL`, PID being the process that made it. */
const NAME = /^perfleet-([0-9]+)-/;

/** How a link is thinned in each direction: `tc-tbf(8)`. */
export interface Shape {
  /** bit/s */
  rate: number;
  /** How long a packet may wait at most, milliseconds: how much the link bloats. */
  latency_ms: number;
}

/** tbf splits the packets that the kernel has joined when they are larger than this. Bytes. */
const BURST = 16_384;

/** Both ends of a link. */
export interface Link {
  a: string;
  b: string;
}

let links = 0;

/** A number for each link of each process: the /30 of 198.18.0.0/15 (for benchmarks, RFC 2544) and the names of its ends. */
const nextLink = () => {
  const base = ((process.pid * 8 + links) % 32_768) * 4;
  const address = (host: number) => `198.${18 + (base >> 16)}.${(base >> 8) & 255}.${(base & 255) + host}`;
  const name = `pf${process.pid}-${links}`;
  links += 1;
  return { a: { device: `${name}a`, address: address(1) }, b: { device: `${name}b`, address: address(2) } };
};

/** Runs a command of iproute2; an error says which `need` of these tests is not met. */
export const run = (need: string, command: string, ...args: string[]): string => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') throw new Error(`${command} is missing. Install it: sudo apt-get install -y iproute2`);
    throw new Error(`this test needs ${need}: ${command} ${args.join(' ')}: ${stderr?.trim() || message}`);
  }
};

const removeLeftover = (name: string): void => {
  try {
    run('network namespaces', 'ip', 'netns', 'delete', name);
  } catch {
    // Another test has just done the same.
  }
};

/**
 * Network namespaces and links between them, of this machine's kernel. The constructor throws what is missing when they can't be
 * made here, and removes what a process left that is gone; `remove()` removes all of this one.
 */
export class Namespaces {
  readonly #namespaces: string[] = [];
  readonly #outside: string[] = [];

  constructor() {
    if (process.getuid?.() !== 0) {
      throw new Error('this test makes network namespaces and needs root: run it with sudo, or in a container as root');
    }
    for (const line of run('network namespaces', 'ip', 'netns', 'list').split('\n')) {
      const [name = ''] = line.split(' ');
      const pid = NAME.exec(name)?.[1];
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeLeftover(name);
    }
  }

  /** Makes a namespace, with loopback up, and returns its name. */
  add(label: string): string {
    const name = `perfleet-${process.pid}-${label}`;
    run('network namespaces (CAP_SYS_ADMIN)', 'ip', 'netns', 'add', name);
    this.#namespaces.push(name);
    run('network namespaces', 'ip', '-n', name, 'link', 'set', 'lo', 'up');
    return name;
  }

  /** Connects two namespaces, null being the one this process is in; returns the address of each end. */
  link(a: string | null, b: string, shape: Shape | null = null): Link {
    const ends = nextLink();
    const { device, address } = ends.a;
    run('veth (CAP_NET_ADMIN)', 'ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', ends.b.device);
    if (a === null) this.#outside.push(device);
    this.#plug(a, device, address, shape);
    this.#plug(b, ends.b.device, ends.b.address, shape);
    return { a: address, b: ends.b.address };
  }

  /** The command line that runs a command in a namespace; its pid is the command's own. */
  inside(namespace: string, ...command: string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', namespace, ...command]];
  }

  /** Takes one away before the others; what runs in it keeps it alive. */
  delete(name: string): void {
    run('network namespaces', 'ip', 'netns', 'delete', name);
    this.#namespaces.splice(this.#namespaces.indexOf(name), 1);
  }

  /** For `afterAll`, and when something goes wrong in between. */
  remove(): void {
    for (const device of this.#outside.splice(0)) run('veth', 'ip', 'link', 'delete', device);
    for (const name of this.#namespaces.splice(0)) run('network namespaces', 'ip', 'netns', 'delete', name);
  }

  #plug(namespace: string | null, device: string, address: string, shape: Shape | null): void {
    const at = namespace === null ? [] : ['-n', namespace];
    if (namespace !== null) run('network namespaces', 'ip', 'link', 'set', device, 'netns', namespace);
    run('veth', 'ip', ...at, 'address', 'add', `${address}/30`, 'dev', device);
    run('veth', 'ip', ...at, 'link', 'set', device, 'up');
    if (shape === null) return;
    const { rate, latency_ms } = shape;
    const limits = ['rate', `${rate}bit`, 'burst', `${BURST}`, 'latency', `${latency_ms}ms`];
    run('tbf (the kernel module sch_tbf)', 'tc', ...at, 'qdisc', 'add', 'dev', device, 'root', 'tbf', ...limits);
  }
}
