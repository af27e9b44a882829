import { isScheduled } from '../schedule/check-of.ts';
import { readCheck } from './check-section.ts';
import { anything, id, optional } from './leaf.ts';
import type { Path } from './problem.ts';
import type { Reader } from './reader.ts';
import type { OrganizationSettings } from './settings.ts';

/** A list of server names: each of them known, none twice. Null and absent give null. */
export const readServerNames = (
  reader: Reader,
  path: Path,
  raw: unknown,
  known: ReadonlySet<string>,
): string[] | null => {
  if (raw === undefined || raw === null) return null;
  const names: string[] = [];
  for (const [index, entry] of reader.list(path, raw, 'servers').entries()) {
    const name = reader.value([...path, index], entry, id);
    reader.reference([...path, index], name, known, 'servers');
    if (name === undefined) continue;
    if (names.includes(name)) reader.problem([...path, index], `"${name}" a second time`, 'each server once');
    names.push(name);
  }
  return names;
};

/** `organizations`: always with `default`. An organization without servers of its own has the default ones. */
export const readOrganizations = (
  reader: Reader,
  raw: unknown,
  inherited: Omit<OrganizationSettings, 'organization' | 'ssh'> & {
    known: ReadonlySet<string>;
    credentials: ReadonlySet<string>;
  },
): Map<string, OrganizationSettings> => {
  const organizations = new Map<string, OrganizationSettings>();
  const entries = reader.entries(['organizations'], raw, 'organizations');
  if (!entries.some(([name]) => name === 'default')) entries.unshift(['default', null]);
  for (const [organization, entry] of entries) {
    const path = ['organizations', organization];
    const given = reader.fields(path, entry, {
      servers: optional(anything),
      ssh: optional(id),
      check: optional(anything),
    });
    const servers = readServerNames(reader, [...path, 'servers'], given.servers, inherited.known) ?? inherited.servers;
    reader.reference([...path, 'ssh'], given.ssh, inherited.credentials, 'ssh_credentials');
    const own = readCheck(reader, [...path, 'check'], given.check, inherited);
    if (isScheduled(own) && servers.length === 0) {
      const hint = 'list them here, or under default_servers for everybody';
      reader.problem(
        [...path, 'servers'],
        own.check.enabled ? 'no server, and an enabled check' : 'no server, and a check that a tag enables',
        'at least one server',
        hint,
      );
    }
    organizations.set(organization, { organization, servers, ssh: given.ssh ?? null, ...own });
  }
  return organizations;
};
