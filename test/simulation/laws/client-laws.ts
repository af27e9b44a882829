import type { Running } from '../device.ts';
import type { Fleet } from '../fleet.ts';
import type { Iperf3Server } from '../iperf3-server.ts';
import type { Break } from './broken-law.ts';

/** Run ids begin with the name of their controller. */
export const controllerOf = (run: string): string => run.replace(/-.*/, '');

/** Laws about the iperf3 clients that really run, whatever any controller believes. */
export class ClientLaws {
  readonly #fleet: Fleet;
  readonly #break: Break;
  readonly #running = new Set<Running>();
  readonly #closed = new Set<string>();

  constructor(fleet: Fleet, broken: Break) {
    this.#fleet = fleet;
    this.#break = broken;
  }

  get count(): number {
    return this.#running.size;
  }

  /** A client was launched. */
  start(running: Running, server: Iperf3Server, granted: string | undefined): void {
    const { device, token } = running;
    const name = `${device}/${running.run}/${token}`;
    if (granted !== server.name)
      this.#break('a client runs where its token says', `${name} is for ${granted}, and runs on ${server.name}`);
    const others = [...this.#running];
    const rival = others.find((other) => other.server === server.name);
    if (rival) this.#break('one client on a server', `${server.name} has ${rival.device}/${rival.run}, and ${name}`);
    if (server.isHaunted) this.#break('nobody is sent into a ghost', `${name} on ${server.name}`);
    if (this.#closed.has(server.name)) this.#break('no client in a maintenance window', `${name} on ${server.name}`);
    if (others.some((other) => other.device === device)) this.#break('one run on a device', name);
    this.#running.add(running);
    // A controller counts its own: of a stranger's lease it knows the server, and lets that rest.
    const ours = others.filter((other) => controllerOf(other.run) === controllerOf(running.run));
    const { host_group_of, host_groups, uplink_of, uplink_groups } = this.#fleet;
    const host = host_group_of.get(server.name);
    const beside = ours.filter((other) => host !== undefined && host_group_of.get(other.server) === host).length;
    if (host !== undefined && beside >= (host_groups.get(host)?.capacity ?? 1))
      this.#break('host group capacity', `${host} has ${beside} clients, and ${name}`);
    const uplink = uplink_of.get(device);
    const near = ours.filter((other) => uplink !== undefined && uplink_of.get(other.device) === uplink).length;
    if (uplink !== undefined && near >= (uplink_groups.get(uplink)?.capacity ?? 1))
      this.#break('uplink group capacity', `${uplink} has ${near} clients, and ${name}`);
  }

  /** The process is gone. */
  end(running: Running): void {
    this.#running.delete(running);
  }

  /**
   * A server whose client lives is not to be probed. `cut_off`: the controller that probes does not know yet that its connection is dead; of
   * another one, which may be in charge by now, it can't know.
   */
  probe(server: string, cut_off: string | null): void {
    const client = this.on(server);
    if (client && (cut_off === null || controllerOf(client.run) === cut_off))
      this.#break('no probe of a client of ours', `${server}, where ${client.device}/${client.run} is`);
  }

  /** A window that was announced long before begins, or ends. */
  maintenance(server: string, under_way: boolean): void {
    if (under_way) this.#closed.add(server);
    else this.#closed.delete(server);
    const client = under_way ? this.on(server) : undefined;
    if (client) this.#break('no client in a maintenance window', `${client.device}/${client.run} on ${server}`);
  }

  on(server: string): Running | undefined {
    return [...this.#running].find((other) => other.server === server);
  }

  of(device: string): Running | undefined {
    return [...this.#running].find((other) => other.device === device);
  }

  all(): Running[] {
    return [...this.#running];
  }
}
