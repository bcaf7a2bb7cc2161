/**
 * Ends the data-plane threads of a daemon that was started with `--inspect` by an exception within them: through Node's
 * inspector they are sent a message no daemon sends. Run inside the daemon's namespace.
 */
interface Target {
  readonly webSocketDebuggerUrl: string;
}

async function target(tries = 100): Promise<string> {
  try {
    const answer = await fetch('http://127.0.0.1:9229/json');
    const [first] = (await answer.json()) as Target[];
    if (first) return first.webSocketDebuggerUrl;
  } catch {
    // Not open yet.
  }
  if (tries === 0) throw new Error('the inspector does not open');
  await new Promise((resolve) => setTimeout(resolve, 50));
  return target(tries - 1);
}

interface RemoteObject {
  readonly objectId: string;
}

const socket = new WebSocket(await target());
await new Promise((resolve) => socket.addEventListener('open', resolve));
let calls = 0;

/** One question to the inspector. */
function ask(
  method: string,
  params: object,
): Promise<{ readonly result: RemoteObject; readonly objects: RemoteObject }> {
  const id = ++calls;
  return new Promise((resolve) => {
    socket.addEventListener('message', (event) => {
      const told = JSON.parse(String(event.data)) as { id?: number; result: never };
      if (told.id === id) resolve(told.result);
    });
    socket.send(JSON.stringify({ id, method, params }));
  });
}

const expression = `process.getBuiltinModule('node:worker_threads').Worker.prototype`;
const { result: prototype } = await ask('Runtime.evaluate', { expression });
const { objects: workers } = await ask('Runtime.queryObjects', { prototypeObjectId: prototype.objectId });
// Among them is what only inherits from a worker.
await ask('Runtime.callFunctionOn', {
  objectId: workers.objectId,
  functionDeclaration: `function () { for (const one of this) try { one.postMessage(null); } catch {} }`,
});
socket.close();
