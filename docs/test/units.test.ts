/** The unit files: the mistakes that matter, and systemd's own opinion where it is there to be asked. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');

/** A unit file's settings: section and key, with every value given. */
function settings(name: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of readFileSync(join(repository, 'packaging/systemd', name), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[(?<name>\w+)\]$/u.exec(line)?.groups?.['name'];
    if (heading !== undefined) {
      section = heading;
      continue;
    }
    const [, key = '', value = ''] = /^(?<key>[A-Z][A-Za-z]+)=(?<value>.+)$/u.exec(line) ?? [];
    expect(key, `"${line}" is a setting`).not.toBe('');
    found.set(`${section}.${key}`, [...(found.get(`${section}.${key}`) ?? []), value]);
  }
  return found;
}

test.each(['box', 'relay'])('the unit of the %s does what it must, and nothing that breaks it', (room) => {
  const unit = settings(`tresse-${room}.service`);
  const one = (key: string): string | undefined => unit.get(key)?.join(' ');
  expect([...unit].filter(([key, values]) => values.length > 1 && key !== 'Service.Environment')).toEqual([]);
  expect(one('Service.ExecStart')).toBe(`/opt/tresse/bin/tresse ${room} run`);
  expect(one('Unit.ConditionPathExists')).toBe(`/var/lib/tresse/${room}.yaml`);
  expect(one('Service.Restart')).toBe('on-failure');
  expect(one('Service.RestartPreventExitStatus')).toBe('2');
  // Tear-down runs ip and nft: only the daemon itself may be told to end.
  expect(one('Service.KillMode')).toBe('mixed');
  expect(one('Service.StateDirectory')).toBe('tresse');
  expect(one('Service.StateDirectoryMode')).toBe('0700');
  // Lines that are down must not hold it up.
  expect(`${one('Unit.After')} ${one('Unit.Wants')}`).not.toContain('network-online');
  expect(one('Service.CapabilityBoundingSet')).toContain('CAP_NET_ADMIN');
  expect(one('Service.RestrictAddressFamilies')).toContain('AF_NETLINK');
  expect(one('Service.NoNewPrivileges')).toBe('yes');
  expect(one('Service.ProtectSystem')).toBe('strict');
  // The compile cache lies where the daemon may write.
  expect(one('Service.Environment')).toBe(`NODE_COMPILE_CACHE=/var/cache/${one('Service.CacheDirectory')}`);
  expect(unit.has('Service.MemoryDenyWriteExecute')).toBe(false);
  // Settings of interfaces are written, and the tunnel's device is opened.
  expect(unit.has('Service.ProtectKernelTunables')).toBe(false);
  expect(one('Service.DeviceAllow')).toBe('/dev/net/tun rw');
  expect(one('Install.WantedBy')).toBe('multi-user.target');
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test.each(['box', 'relay'])('systemd accepts the unit of the %s, where it is there', (room) => {
  const folder = mkdtempSync(join(tmpdir(), 'tresse-units-'));
  const name = `tresse-${room}.service`;
  // As an installation elsewhere has it: the program must be there to be accepted.
  const text = readFileSync(join(repository, 'packaging/systemd', name), 'utf8').replaceAll('/opt/tresse', repository);
  writeFileSync(join(folder, name), text);
  const { stdout, stderr } = hasSystemd
    ? spawnSync('systemd-analyze', ['verify', join(folder, name)], { encoding: 'utf8' })
    : { stdout: '', stderr: '' };
  rmSync(folder, { recursive: true });
  expect((stdout + stderr).split('\n').filter((line) => line.includes(name))).toEqual([]);
});
