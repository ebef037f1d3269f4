import { Session } from './session.js';
import { openSocket, type Socket } from './socket.js';

/** A worker thread of the service, as the inspector names it. */
export interface WorkerInfo {
  title: string;
  url: string;
}

/** The service's inspector: a session with its main thread, and one with each of its worker threads. */
export class Connection {
  readonly main: Session;
  readonly #socket: Socket;
  readonly #workers = new Map<string, Session>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.main = new Session((text) => socket.send(text));
  }

  /** `onEnd` is told once the service is gone, or about to go: it would wait for us. */
  static async open(url: string, onEnd: () => void): Promise<Connection> {
    const connection = new Connection(await openSocket(url));
    const { main } = connection;
    connection.#socket.addEventListener('message', ({ data }) => main.receive(String(data)));
    connection.#socket.addEventListener('close', () => {
      for (const session of [main, ...connection.#workers.values()]) session.end('the service has ended');
      onEnd();
    });
    main.on('NodeRuntime.waitingForDisconnect', () => connection.close());
    main.post('NodeRuntime.notifyWhenWaitingForDisconnect', { enabled: true }).catch(() => {});
    return connection;
  }

  /** Tells of each worker thread, those that run and those to come. No thread waits for it. */
  async workers(onWorker: (session: Session, info: WorkerInfo) => void): Promise<void> {
    const { main } = this;
    main.on('NodeWorker.attachedToWorker', ({ sessionId, workerInfo }) => {
      const session = new Session((message) => {
        // The worker may be gone: its session hears of that by itself.
        main.post('NodeWorker.sendMessageToWorker', { sessionId, message }).catch(() => {});
      });
      this.#workers.set(sessionId, session);
      onWorker(session, workerInfo);
    });
    main.on('NodeWorker.receivedMessageFromWorker', ({ sessionId, message }) => {
      this.#workers.get(sessionId)?.receive(message);
    });
    main.on('NodeWorker.detachedFromWorker', ({ sessionId }) => {
      this.#workers.get(sessionId)?.end('the thread has ended');
      this.#workers.delete(sessionId);
    });
    await main.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  close(): void {
    this.#socket.close();
  }
}
