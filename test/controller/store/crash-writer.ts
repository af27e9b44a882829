/**
 * Run as a program by crash.test.ts: stores one result after another in the folder that it is given, and says so on stdout
 * after each, until it is killed.
 */
import { writeSync } from 'node:fs';
import { Store } from '../../../controller/store/store.ts';
import { ending, grant, lease, newRun, point, resultWrite, T0 } from './samples.ts';

const store = Store.open(process.argv[2] ?? '');
for (let token = store.leases.lastToken() + 1; ; token += 1) {
  const run = `r-${token}`;
  store.runs.add([newRun(run)]);
  store.leases.save(lease(token, { run }));
  store.runs.noteGrant(grant(run, token));
  store.results.store(
    resultWrite(run, token, {
      points: [point(T0 + token)],
      change: { kind: 'final', ending: ending({ points: [point(T0 - token)] }) },
    }),
  );
  writeSync(1, `${token}\n`);
}
