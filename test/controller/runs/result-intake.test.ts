import { expect, it } from 'vitest';
import { Afterwards } from '../../../controller/runs/afterwards.ts';
import { ResultIntake } from '../../../controller/runs/result-intake.ts';
import { Settlement } from '../../../controller/runs/settlement.ts';
import { testPlan } from '../../helpers/controller-fixture.ts';
import { corpusOutput } from '../../helpers/iperf3-output.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { RecordedLog } from '../../helpers/recorded-log.ts';
import { openStore } from '../store/open-store.ts';
import { newRun, T0 } from '../store/samples.ts';

const output = corpusOutput('v3.12__tcp_up.json');

/** Three runs whose results are awaited. `settling` is called in the middle of each. */
const make = (settling: (organization: string, clock: ManualClock) => void = () => {}) => {
  const store = openStore();
  const clock = new ManualClock();
  const log = new RecordedLog();
  const checkOf = (organization: string) => {
    settling(organization, clock);
    return { retries: 0, backoff_ms: 600_000 };
  };
  const settlement = new Settlement({ store, influx: true, checkOf, random: () => 0.5, log });
  const told: string[] = [];
  const afterwards = new Afterwards(clock, (error) => told.push(String(error)));
  const dispatcher = {
    severalLater: afterwards.several.bind(afterwards),
    keep: (action: () => void) => action(),
    handle: () => {},
    followUp: (run: string, settled: string) => void told.push(`${run} ${settled}`),
  };
  const onPoints = () => void told.push('points');
  const intake = new ResultIntake({ store, settlement, dispatcher, clock, log, onPoints });
  const names = ['a', 'b', 'c'].map((name, index) => ({ run: `r-${name}`, organization: name, token: index + 1 }));
  const tests = [testPlan()];
  for (const { run, organization, token } of names) {
    store.runs.add([newRun(run, { tests, organization, device: `d-${run}` })]);
    store.runs.noteGrant({ token, run, server: 'milan-1', via: 'agent', at_ms: T0, tests });
  }
  const addAll = () => {
    for (const { run, token } of names) {
      const payload = { run, token, boot: 'b', tests: [output] };
      const accept = () => void told.push(`${run} accepted`);
      intake.add({ message: { kind: 'result', device: `d-${run}`, payload }, accept });
    }
    afterwards.flush();
  };
  return { store, log, told, addAll };
};

it('writes the results that wait together, and accepts them when they are on disk', () => {
  const { store, told, addAll } = make();
  addAll();
  expect(told).toEqual(['points', 'r-a final', 'r-b final', 'r-c final']);
  store.flush();
  expect(told.slice(4)).toEqual(['r-a accepted', 'r-b accepted', 'r-c accepted']);
});

it('leaves the rest for another turn when it takes long', () => {
  const { store, told, addAll } = make((_, clock) => clock.advance(1));
  addAll();
  expect(told).toEqual(['points', 'r-a final', 'r-b final', 'points', 'r-c final']);
  store.flush();
  expect(told).toHaveLength(8);
});

it('undoes a result that can not be settled, and no other', () => {
  const { store, log, told, addAll } = make((organization) => {
    if (organization === 'b') throw new Error('a defect');
  });
  addAll();
  store.flush();
  expect(told).toEqual(['points', 'r-a final', 'r-c final', 'r-a accepted', 'r-c accepted']);
  expect(store.runs.open().map(({ run }) => run)).toEqual(['r-b']);
  expect(log.of('error')).toMatchObject([{ fields: { run: 'r-b', error: { message: 'a defect' } } }]);
});

it('accepts nothing that could not be written', () => {
  const { store, log, told, addAll } = make();
  store.close();
  const grounds = () => log.of('error').map(({ fields }) => fields['error']);
  addAll();
  expect(told).toEqual([]);
  expect(grounds()).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('is closed')));
});
