import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeCertificate } from './certificates.ts';
import { freePort } from './free-port.ts';
import { Program } from './program.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

/** Waits for the greeting: the port alone is open earlier. */
const greets = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.on('data', () => answer(true)).on('error', () => answer(false));
  });

/** Headers of a mail, unfolded, with names in lower case; and its text. */
export interface Mail {
  headers: Record<string, string>;
  text: string;
}

const parsed = (source: string): Mail => {
  const [head = '', ...rest] = source.replaceAll('\r\n', '\n').split('\n\n');
  const lines = head.replace(/\n[ \t]+/g, ' ').split('\n');
  const headers = lines.map((line) => [line.split(':')[0]?.toLowerCase() ?? '', line.slice(line.indexOf(':') + 2)]);
  return { headers: Object.fromEntries(headers), text: rest.join('\n\n') };
};

/** A real SMTP server (Debian's aiosmtpd), with its Maildir in a temporary folder. Gone when the test is over. */
export class SmtpServer {
  readonly port: number;
  /** PEM: its certificate, which is its own authority. */
  readonly ca: string;
  readonly #folder = tempFolder();
  readonly #security: 'none' | 'starttls' | 'tls';
  #program: Program | null = null;

  private constructor(port: number, security: 'none' | 'starttls' | 'tls') {
    this.port = port;
    this.#security = security;
    mkdirSync(join(this.#folder, 'mail/new'), { recursive: true });
    for (const name of ['tmp', 'cur']) mkdirSync(join(this.#folder, 'mail', name));
    const { cert, key } = security === 'none' ? { cert: '', key: '' } : makeCertificate();
    this.ca = cert;
    writeFileSync(join(this.#folder, 'cert.pem'), cert);
    writeFileSync(join(this.#folder, 'key.pem'), key);
  }

  static async start(security: 'none' | 'starttls' | 'tls' = 'none'): Promise<SmtpServer> {
    const server = new SmtpServer(await freePort(), security);
    onTestFinished(() => server.stop());
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const [cert, key] = [join(this.#folder, 'cert.pem'), join(this.#folder, 'key.pem')];
    const options = {
      none: [],
      starttls: ['--tlscert', cert, '--tlskey', key],
      tls: ['--smtpscert', cert, '--smtpskey', key],
    };
    const handler = ['-c', 'mail_handler.MailHandler', join(this.#folder, 'mail')];
    const command = ['aiosmtpd', '-n', '-l', `127.0.0.1:${this.port}`, ...options[this.#security], ...handler];
    const env = { ...process.env, PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: '1' };
    const program = new Program(['timeout', '120', ...command], env);
    this.#program = program;
    const { port } = this;
    await until('the mail server listens', () => {
      if (!program.running) throw new Error(`aiosmtpd ended: ${program.stderr}`);
      return this.#security === 'tls' ? listens(port) : greets(port);
    });
  }

  async stop(): Promise<void> {
    await this.#program?.end('SIGTERM');
    this.#program = null;
  }

  /** What has arrived, in the order of arrival. */
  get mails(): Mail[] {
    const folder = join(this.#folder, 'mail/new');
    // `seconds.M<microseconds>P…Q<number>…`
    const order = (name: string) => Number(/Q(\d+)\./.exec(name)?.[1]);
    return readdirSync(folder)
      .sort((a, b) => order(a) - order(b))
      .map((name) => parsed(readFileSync(join(folder, name), 'utf8')));
  }
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
