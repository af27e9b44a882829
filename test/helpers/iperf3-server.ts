import { freePort } from './free-port.ts';
import { Program } from './program.ts';

/** A real `iperf3 -s` on loopback. */
export class Iperf3Server {
  readonly port: number;
  readonly #program: Program;

  private constructor(port: number, env: NodeJS.ProcessEnv) {
    this.port = port;
    const line = ['iperf3', '-s', '-B', '127.0.0.1', '-p', String(port), '--forceflush'];
    this.#program = new Program(line, env);
  }

  /** Resolves when it listens. */
  static async start(env: NodeJS.ProcessEnv): Promise<Iperf3Server> {
    const server = new Iperf3Server(await freePort(), env);
    await server.#program.says(/Server listening/);
    return server;
  }

  /** KILL is a machine that loses its power, but that the kernel says goodbye. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#program.end(signal);
  }
}
