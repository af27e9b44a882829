import { freePort } from './free-port.ts';
import { Program } from './program.ts';

/** Where it runs, if not beside this process: its address, and the command line that runs a command there. */
interface Elsewhere {
  host: string;
  inside: (...command: string[]) => string[];
}

/** A real `iperf3 -s`, on loopback. */
export class Iperf3Server {
  readonly host: string;
  readonly port: number;
  readonly #program: Program;

  private constructor(port: number, env: NodeJS.ProcessEnv, elsewhere: Elsewhere | null) {
    this.host = elsewhere?.host ?? '127.0.0.1';
    this.port = port;
    const line = ['iperf3', '-s', '-B', this.host, '-p', String(port), '--forceflush'];
    this.#program = new Program(elsewhere?.inside(...line) ?? line, env);
  }

  /** Resolves when it listens. */
  static async start(env: NodeJS.ProcessEnv, elsewhere: Elsewhere | null = null): Promise<Iperf3Server> {
    const server = new Iperf3Server(await freePort(), env, elsewhere);
    await server.#program.says(/Server listening/);
    return server;
  }

  /** KILL is a machine that loses its power, but that the kernel says goodbye. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#program.end(signal);
  }
}
