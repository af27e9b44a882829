import type { Publication } from '../../core/io.ts';
import { type Child, PLAIN, type Shell, start, writePrivate } from './shell.ts';
import { after } from './timer.ts';

/** A post that has not left by then is given up. A result is sent again when its time has come. */
const LIMIT_MS = 120000;

/** A thin link takes this long for 512 bytes. */
const LIMIT_MS_PER_BLOCK = 1000;

/** Longer than any post takes: mosquitto_pub gives up a message that takes two of these, and a broker may one that takes one and a half. */
const KEEPALIVE_S = '3600';

/** A status that did not leave is sent again after this. */
const RETRY_MS = 5000;

export interface Post {
  what: Publication['what'];
  topic: string;
  text: string;
}

/** Statuses and results: a mosquitto_pub each, one after another. */
export interface Posts {
  send: (post: Post) => void;
  /** Without a connection nothing but a status is worth trying, and it does not wait for a result that goes nowhere. */
  dropResults: () => void;
  /** Calls back when all has left. */
  onIdle: (idle: () => void) => void;
  /** Sends nothing any more. */
  stop: () => void;
}

/** `args`: host, port and so on. `isWorthIt`: whether a status that did not leave is to be sent again. */
export const createPosts = (
  shell: Shell,
  args: string[],
  isWorthIt: () => boolean,
  onProblem: (text: string) => void,
): Posts => {
  const now = {
    child: null as Child | null,
    /** What the child sends. */
    what: null as Post['what'] | null,
    queue: [] as Post[],
    status: null as Post | null,
    idle: null as (() => void) | null,
    stopped: false,
  };
  const file = `${shell.folder}/post`;

  /** Of one topic only the latest counts. */
  const enqueue = (post: Post): void => {
    if (now.stopped) return;
    now.queue = filter(now.queue, (other) => other.topic !== post.topic);
    push(now.queue, post);
  };

  function next(): void {
    const post = now.queue[0];
    if (now.child != null) return;
    if (post == null) {
      now.idle?.();
      return;
    }
    now.queue = slice(now.queue, 1);
    const words = ['mosquitto_pub', ...args, '-k', KEEPALIVE_S, '-t', post.topic];
    if (post.what === 'status') {
      // Needs no room in /tmp: an empty file would delete what the broker has.
      push(words, '-r', '-m', post.text);
    } else if (writePrivate(file, post.text)) {
      push(words, '-f', file);
    } else {
      onProblem(`no room for ${file}: a result is sent later`);
      fs.unlink(file);
      return next();
    }
    now.what = post.what;
    const failed = { yes: false };
    const onText = (text: string): void => {
      failed.yes = true;
      onProblem(trim(text));
    };
    const limit_ms = LIMIT_MS + int((length(post.text) * LIMIT_MS_PER_BLOCK) / 512);
    const cancel = after(limit_ms, () => {
      failed.yes = true;
      now.child?.kill?.();
    });
    const onEnd = (): void => {
      cancel();
      now.child = null;
      fs.unlink(file);
      if (failed.yes && post.what === 'status')
        after(RETRY_MS, () => {
          if (now.status !== post || !isWorthIt()) return;
          enqueue(post);
          next();
        });
      next();
    };
    now.child = start(shell, { name: 'post', script: PLAIN, args: words, fed: false, marked: true }, onText, onEnd);
  }

  const send = (post: Post): void => {
    if (post.what === 'status') now.status = post;
    enqueue(post);
    next();
  };
  const dropResults = (): void => {
    now.queue = filter(now.queue, (post) => post.what === 'status');
    if (now.what === 'result') now.child?.kill?.();
  };
  const onIdle = (idle: () => void): void => {
    now.idle = idle;
    next();
  };
  const stop = (): void => {
    now.stopped = true;
    now.queue = [];
    now.idle = null;
  };
  return { send, dropResults, onIdle, stop };
};
