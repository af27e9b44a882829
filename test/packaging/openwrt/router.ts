import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from '../../../controller/demo/find-program.ts';
import { root } from '../../../packaging/root.mjs';
import { tempFolder } from '../../helpers/temp-folder.ts';

const BUSYBOX = findProgram('busybox', process.env) ?? 'busybox';

/** Of BusyBox on OpenWrt, what the scripts use. */
const APPLETS = 'awk cat chmod grep head mkdir mv rm sed sh touch tr'.split(' ');

/** What the test looks at afterwards instead: a line for each call. */
const RECORDED = 'chown id logger ubus uci'.split(' ');

/** Absolute paths of a router. */
const PATHS = /(?<![\w}.])\/(etc|lib|proc|sys|tmp|usr|var)\//g;

/** Something like a router: a folder with the package's scripts, whose absolute paths lead into that folder. Nothing of this machine is changed. */
export const createRouter = () => {
  const router = tempFolder();
  const file = (path: string, content: string, mode = 0o644): string => {
    const whole = join(router, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, content);
    chmodSync(whole, mode);
    return whole;
  };
  const read = (path: string): string =>
    existsSync(join(router, path)) ? readFileSync(join(router, path), 'utf8') : '';
  const outside = (text: string): string => text.replaceAll(router, '');
  const inside = (text: string): string => text.replace(PATHS, `${router}/$1/`);

  for (const name of APPLETS) {
    mkdirSync(join(router, 'bin'), { recursive: true });
    symlinkSync(BUSYBOX, join(router, 'bin', name));
  }
  for (const name of RECORDED) {
    file(`bin/${name}`, `#!${BUSYBOX} sh\necho "${name} $*" >>"$ROUTER/calls"\n. "$ROUTER/answers/${name}"\n`, 0o755);
    file(`answers/${name}`, '');
  }
  mkdirSync(join(router, 'var/run'), { recursive: true });
  mkdirSync(join(router, 'tmp'));
  file(
    'lib/functions/network.sh',
    `network_get_device() { eval "$1=\\$(cat ${router}/devices/$2 2>/dev/null)"; [ -e ${router}/devices/$2 ]; }\n`,
  );

  /** Runs a script of the package in BusyBox ash. */
  const run = (command: string[], env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(BUSYBOX, ['ash', ...command], {
      encoding: 'utf8',
      env: { PATH: join(router, 'bin'), ROUTER: router, ...env },
      timeout: 20_000,
    });
    return { status, output: outside(stdout + stderr) };
  };

  return {
    router,
    file,
    read,
    inside,
    run,
    /** A script of the package, as it would be installed. */
    install: (path: string, source: string): string =>
      file(path, inside(readFileSync(join(root, 'packaging/openwrt/files', source), 'utf8')), 0o755),
    /** What the recorded programs were called with. */
    calls: (): string[] => outside(read('calls')).split('\n').filter(Boolean),
  };
};

export type Router = ReturnType<typeof createRouter>;
