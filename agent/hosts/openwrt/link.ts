import { each } from '../../core/each.ts';
import type { Publication } from '../../core/io.ts';
import { listen } from './inbox.ts';
import { type Child, type Shell, start } from './shell.ts';

/**
 * The agent's MQTT: one mosquitto_sub, one `mosquitto_pub -l` for events (a hand-off waits for no connect), and a mosquitto_pub for each
 * status and result, one after another. Who ends is started again.
 */

const RESTART_FIRST_MS = 1000;
const RESTART_MAX_MS = 30000;

/** A result that has not left by then is given up; it is sent again when its time has come. */
const POST_LIMIT_MS = 120000;

const EVENTS = 'exec mosquitto_pub "$@"';

/** mosquitto_pub, killed at the end of stdin. */
const POST = `exec 3<&0 </dev/null
mosquitto_pub "$@" 2>&1 3<&- &
pub=$!
{ while read -r _; do :; done; kill -KILL $pub; } <&3 3<&- >/dev/null 2>&1 &
reader=$!
wait $pub
kill -KILL $reader
`;

export interface LinkOptions {
  device: string;
  /** Host, port and TLS, for all three. */
  args: string[];
  event_topic: string;
  will: { topic: string; text: string };
  topics: string[];
  onConnected: () => void;
  onDisconnected: () => void;
  onMessage: (topic: string, payload: unknown) => void;
  warn: (text: string) => void;
}

export interface Link {
  publish: (publication: Publication) => void;
  /** Calls back when all has left, or after `limit_ms`, and everything is being ended. */
  close: (limit_ms: number, onClosed: () => void) => void;
}

interface Post {
  what: Publication['what'];
  topic: string;
  text: string;
}

export const connect = (shell: Shell, options: LinkOptions): Link => {
  const now = {
    connected: false,
    closing: false,
    sub: null as Child | null,
    events: null as Child | null,
    post: null as Child | null,
    queue: [] as Post[],
    wait_ms: RESTART_FIRST_MS,
    onIdle: null as (() => void) | null,
  };
  const common = ['-q', '1', ...options.args];

  function startEvents(): void {
    if (now.closing) return;
    const args = [...common, '-i', `${options.device}-event`, '-t', options.event_topic, '-l'];
    const restart = (): void => {
      now.events = null;
      uloop.timer(now.wait_ms, () => {
        if (now.events == null) startEvents();
      });
    };
    now.events = start(shell, 'event', EVENTS, args, () => {}, restart);
  }

  function postNext(): void {
    const post = now.queue[0];
    if (now.post != null) return;
    if (post == null) return now.onIdle?.();
    now.queue = slice(now.queue, 1);
    const file = `${shell.state}/post`;
    fs.writefile(file, post.text);
    const args = [...common, '-i', `${options.device}-post`, '-t', post.topic, '-f', file];
    if (post.what === 'status') push(args, '-r');
    const limit = uloop.timer(POST_LIMIT_MS, () => now.post?.end());
    const onEnd = (): void => {
      limit.cancel();
      now.post = null;
      fs.unlink(file);
      postNext();
    };
    now.post = start(shell, 'post', POST, args, options.warn, onEnd);
  }

  const setConnected = (connected: boolean): void => {
    if (now.connected === connected) return;
    now.connected = connected;
    if (connected) {
      now.wait_ms = RESTART_FIRST_MS;
      return options.onConnected();
    }
    // It may not know yet that its connection is gone, and would lose what it is given. A new one waits until it has one.
    now.events?.end();
    now.queue = filter(now.queue, (post) => post.what === 'status');
    options.onDisconnected();
  };

  function startSub(): void {
    if (now.closing) return;
    const args = [...common, '-d', '-F', '%j', '-i', options.device, '--will-topic', options.will.topic];
    push(args, '--will-payload', options.will.text, '--will-qos', '1', '--will-retain');
    each(options.topics, (topic) => push(args, '-t', topic));
    now.sub = listen(shell, args, {
      onConnected: () => setConnected(true),
      onDisconnected: () => setConnected(false),
      onMessage: options.onMessage,
      onProblem: options.warn,
      onEnd: () => {
        now.sub = null;
        setConnected(false);
        uloop.timer(now.wait_ms, startSub);
        now.wait_ms = min(2 * now.wait_ms, RESTART_MAX_MS);
      },
    });
  }

  const publish = (publication: Publication): void => {
    const text = sprintf('%J', publication.payload);
    if (publication.what === 'event') {
      if (now.connected) now.events?.write(`${text}\n`);
      return;
    }
    const post = { what: publication.what, topic: publication.topic, text };
    // Of one topic only the latest counts.
    now.queue = filter(now.queue, (other) => other.topic !== post.topic);
    push(now.queue, post);
    postNext();
  };

  const close = (limit_ms: number, onClosed: () => void): void => {
    now.closing = true;
    const closing = { done: false };
    const finish = (): void => {
      if (closing.done) return;
      closing.done = true;
      now.post?.end();
      now.events?.end();
      now.sub?.end();
      onClosed();
    };
    now.onIdle = finish;
    uloop.timer(limit_ms, finish);
    postNext();
  };

  startSub();
  startEvents();
  return { publish, close };
};
