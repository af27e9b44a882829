import { each } from '../../core/each.ts';
import type { Publication } from '../../core/io.ts';
import { listen, socketsOf } from './inbox.ts';
import { type Child, type Shell, signal, start } from './shell.ts';

/**
 * The agent's MQTT: one mosquitto_sub, one `mosquitto_pub -l` for events (a hand-off waits for no connect), and a mosquitto_pub for each
 * status and result, one after another. Who ends is started again.
 */

const RESTART_FIRST_MS = 1000;
const RESTART_MAX_MS = 30000;

/** How often it is looked whether mosquitto_sub has a new connection … */
const LOOK_MS = 1000;

/** … and after how many looks the status that shows it is sent again. */
const PROBE_LOOKS = 10;

/** A result that has not left by then is given up; it is sent again when its time has come. */
const POST_LIMIT_MS = 120000;

const EVENTS = `echo $$ >"$PERFLEET_STATE/event.pid"
exec mosquitto_pub "$@"
`;

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
  /** The status, online. When it comes back, mosquitto_sub is connected and subscribed. */
  probe: string;
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
    sockets: '',
    looks: 0,
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
    const limit = uloop.timer(POST_LIMIT_MS, () => now.post?.end?.());
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
      now.sockets = socketsOf(shell);
      return options.onConnected();
    }
    // It may not know yet that its connection is gone, and would lose what it is given. A new one waits until it has one.
    signal(`${shell.state}/event.pid`, 'KILL');
    now.queue = filter(now.queue, (post) => post.what === 'status');
    options.onDisconnected();
  };

  function startSub(): void {
    if (now.closing) return;
    const args = [...common, '-F', '%j', '-i', options.device, '--will-topic', options.will.topic];
    push(args, '--will-payload', options.will.text, '--will-qos', '1', '--will-retain');
    each(options.topics, (topic) => push(args, '-t', topic));
    now.sub = listen(shell, args, {
      onMessage: (topic, payload) => {
        if (topic === options.will.topic) setConnected(true);
        options.onMessage(topic, payload);
      },
      onProblem: options.warn,
      onEnd: () => {
        now.sub = null;
        setConnected(false);
        uloop.timer(now.wait_ms, startSub);
        now.wait_ms = min(2 * now.wait_ms, RESTART_MAX_MS);
      },
    });
  }

  const post = (what: Publication['what'], topic: string, text: string): void => {
    // Of one topic only the latest counts.
    now.queue = filter(now.queue, (other) => other.topic !== topic);
    push(now.queue, { what, topic, text });
    postNext();
  };

  const publish = (publication: Publication): void => {
    const text = sprintf('%J', publication.payload);
    if (publication.what !== 'event') return post(publication.what, publication.topic, text);
    if (now.connected) now.events?.write?.(`${text}\n`);
  };

  /** Finds out whether there is a new connection: then the one before it is gone, and what was sent on it may be lost. */
  function look(): void {
    if (now.closing) return;
    uloop.timer(LOOK_MS, look);
    const sockets = socketsOf(shell);
    if (sockets !== now.sockets) {
      now.sockets = sockets;
      now.looks = 0;
      setConnected(false);
    }
    if (!now.connected && now.sub != null && now.looks % PROBE_LOOKS === 0)
      post('status', options.will.topic, options.probe);
    now.looks += 1;
  }

  const close = (limit_ms: number, onClosed: () => void): void => {
    now.closing = true;
    const closing = { done: false };
    const finish = (): void => {
      if (closing.done) return;
      closing.done = true;
      now.post?.end?.();
      now.events?.end?.();
      now.sub?.end?.();
      onClosed();
    };
    now.onIdle = finish;
    uloop.timer(limit_ms, finish);
    postNext();
  };

  startSub();
  startEvents();
  look();
  return { publish, close };
};
