import { describe, expect, it } from 'vitest';
import { createService, isStarted, MINIMAL, type Options, startWith } from './openwrt/service.ts';

describe('the init script starts nothing, and says why in the log', () => {
  it('says what to set when nothing is configured, and starts nothing', () => {
    for (const options of [{}, { enabled: '1' }]) {
      const { procd, log } = startWith(options);
      expect(isStarted(procd)).toBe(false);
      expect(log).toEqual([
        "not started: no broker is set. Do: uci set perfleet.agent.broker='mqtts://HOST:8883'; " +
          "uci set perfleet.agent.password='OF THIS DEVICE'; uci commit perfleet; /etc/init.d/perfleet-agent restart",
      ]);
    }
  });

  it('starts nothing when it is disabled', () => {
    const { procd, log } = startWith({ ...MINIMAL, enabled: '0' });
    expect(isStarted(procd)).toBe(false);
    expect(log).toEqual(['not started: it is disabled, see /etc/config/perfleet']);
  });

  it('starts nothing without the user, as procd would start it as root', () => {
    const service = createService();
    service.set(MINIMAL);
    service.file('no-user', '');
    const { procd, log } = service.start();
    expect(isStarted(procd)).toBe(false);
    expect(log).toEqual(['not started: there is no user perfleet; install the package again']);
  });

  it.each<[Options, string]>([
    [{ enabled: 'perhaps' }, 'enabled: expected bool, found perhaps'],
    [{ device: 'aa:bb' }, 'device: expected 1 to 64 letters, digits, "_" or "-", found aa:bb'],
    [{ device: 'a\nb' }, 'device: expected 1 to 64 letters, digits, "_" or "-", found several lines'],
    [{ broker: 'controller' }, 'broker: expected a URL, mqtt://host:port or mqtts://host:port, found controller'],
    [{ username: 'a\nb' }, 'username: expected one line, found several lines'],
    [{ password: 'two\nlines' }, 'password: expected one line, found several'],
    [{ password_file: '/nowhere' }, 'password_file: there is no file /nowhere'],
    [{ tls_ca: '/nowhere' }, 'tls_ca: there is no file /nowhere'],
    [{ max_duration: '1 minute' }, 'max_duration: expected a duration like 60s, found 1 minute'],
    [{ max_streams: '0' }, 'max_streams: expected range(1,128), found 0'],
    [{ max_bitrate: 'fast' }, 'max_bitrate: expected a rate like 20M, found fast'],
    [{ max_bitrat: '20M' }, 'max_bitrat: unknown option, expected one of enabled device broker'],
    [{ server: ['a'] }, 'server: unknown option, expected one of enabled device broker'],
    [{ servers: ['\t'] }, 'servers: expected a list of "host" or "host:port", found \t'],
    [{ servers: ['é.example.net'] }, 'servers: expected a list of "host" or "host:port", found é.example.net'],
    [{ wan_interface: 'eth1; reboot' }, 'wan_interface: expected the name of an interface, found eth1; reboot'],
    [{ nice: '-5' }, 'nice: expected range(0,19), found -5'],
  ])('does not start with %j', (options, problem) => {
    const { procd, log, read } = startWith({ ...MINIMAL, ...options });
    expect(isStarted(procd)).toBe(false);
    expect(log.join('\n')).toContain(`not started: /etc/config/perfleet: ${problem}`);
    expect(read('var/run/perfleet/agent.json')).toBe('');
  });

  it('tells all mistakes at once', () => {
    const { log } = startWith({ ...MINIMAL, device: 'a b', max_bitrate: 'fast', password_file: '/nowhere' });
    expect(log.map((line) => line.split(': ')[2])).toEqual(['device', 'password_file', 'password_file', 'max_bitrate']);
  });

  it('starts nothing when UCI cannot read the file, and says where', () => {
    const service = createService();
    service.file('options', 'false\n');
    service.file('answers/uci', 'echo "uci: Parse error (invalid command) at line 3, byte 0" >&2\n');
    const { procd, log } = service.start();
    expect(isStarted(procd)).toBe(false);
    expect(log).toEqual(['not started: /etc/config/perfleet: uci: Parse error (invalid command) at line 3, byte 0']);
  });

  it('stops the agent on a reload when the configuration is broken', () => {
    const service = createService();
    service.set(MINIMAL);
    expect(isStarted(service.start().procd)).toBe(true);
    service.set({ ...MINIMAL, broker: 'nonsense' });
    expect(isStarted(service.reload().procd)).toBe(false);
  });
});
