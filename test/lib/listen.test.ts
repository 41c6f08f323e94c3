import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectFree, grpcPlace, listenFailed, malformedHost, unusableHost } from '../../src/lib/listen.ts';

describe('HOST', () => {
  it.each([
    ['http://127.0.0.1', 'set HOST=127.0.0.1'],
    ['https://example.org:8443/', 'set HOST=example.org and PORT=8443'],
    ['127.0.0.1:3000', 'set HOST=127.0.0.1 and PORT=3000'],
    ['[::1]:3000', 'set HOST=[::1] and PORT=3000'],
    ['http://', 'set HOST=127.0.0.1'],
    [':3000', 'set HOST=127.0.0.1 and PORT=3000'],
  ])('of the form %s is refused with what to set', (host, remedy) => {
    expect(malformedHost(host)).toMatch(/^expected an address or a name, without scheme, port or path; /);
    expect(malformedHost(host)!.endsWith(remedy)).toBe(true);
  });

  it.each(['127.0.0.1', '::', '::1', '[::1]', 'fe80::1:3000', 'localhost', 'my-macbook.local', '127.1'])(
    'may be of the form %s',
    (host) => expect(malformedHost(host)).toBeNull(),
  );

  it.each(['127.0.0.1', '127.8.9.10', '0.0.0.0', 'localhost'])('is of this machine as %s', async (host) => {
    expect(await unusableHost(host)).toBeNull();
  });

  it.each(['x86_64-conda-linux-gnu', 'arm64-apple-darwin20.0.0', 'no-such-name.invalid'])(
    'is no name here as %s; conda may have set it',
    async (host) => {
      const problem = await unusableHost(host);
      expect(problem).toMatch(
        /expected an address of this machine or a name that resolves to one, got neither/,
      );
      expect(problem).toMatch(/if you did not set HOST, then conda or your shell did: set HOST=127\.0\.0\.1/);
    },
  );

  it.each(['1.2.3.4', '2001:db8::1'])('is no address of this machine as %s', async (host) => {
    expect(await unusableHost(host)).toMatch(
      /expected an address of this machine, got one that it can't listen at \(E\w+\); set HOST=127\.0\.0\.1/,
    );
  });
});

describe('PORT', () => {
  it('that another program has is refused with what to do', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(expectFree({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: `expected to listen on port ${port} of 127.0.0.1, got that another program listens there, perhaps a Trainyard that runs already; end that, or set PORT to a free one`,
    });
  });

  it('of gRPC is refused likewise, with its own variable', () => {
    const error = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
    const place = grpcPlace({ host: '127.0.0.1', grpcPort: 8001 })!;
    expect(listenFailed(error, place).message).toMatch(/port 8001 .*set GRPC_PORT to a free one$/);
    expect(grpcPlace({ host: '127.0.0.1', grpcPort: null })).toBeNull();
  });

  it('that is free is left free', async () => {
    await expectFree({ host: '127.0.0.1', port: 0 });
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    for (const _ of [1, 2]) await expect(expectFree({ host: '127.0.0.1', port })).resolves.toBeUndefined();
  });

  it('that is for root is refused with what to do', async ({ skip }) => {
    const code = await listenAsNobody(80);
    if (code !== 'EACCES') {
      console.log(`this machine lets every user listen on port 80 (${code}): not tried`);
      skip();
    }
    const error = Object.assign(new Error('listen EACCES'), { code: code! });
    expect(listenFailed(error, { host: '127.0.0.1', port: 80 }).message).toBe(
      'expected to listen on port 80 of 127.0.0.1, got that this user may not, since low ports are for root; set PORT to 1024 or more, and have a proxy take the low port',
    );
  });
});

/** The error code that a user without rights gets, or null. */
async function listenAsNobody(port: number): Promise<string | null> {
  if (
    process.getuid!() !== 0 ||
    Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start')) <= port
  ) {
    return 'not root, or no port is reserved';
  }
  const script = `require('net').createServer().on('error', ({ code }) => console.log(code)).listen(${port}, '127.0.0.1', function () { this.close(); })`;
  const child = spawn(process.execPath, ['-e', script], { cwd: '/', uid: 65_534, gid: 65_534 });
  let output = '';
  child.stdout.on('data', (text) => (output += String(text)));
  await once(child, 'close');
  return output.trim() || null;
}
