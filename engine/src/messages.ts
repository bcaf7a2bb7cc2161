import type {
  BoxEngineOptions,
  BoxPath,
  DirectSources,
  EngineStatus,
  KidInstall,
  LanAccess,
  LogFields,
  LogLevel,
  PeerRoutes,
  PublishedPort,
  RelayEngineOptions,
} from './api.ts';

/** Main thread to worker. */
export type ToWorker =
  | { readonly type: 'kid'; readonly call: number; readonly install: KidInstall }
  | { readonly type: 'paths'; readonly paths: readonly BoxPath[] }
  | { readonly type: 'direct'; readonly sources: DirectSources }
  | { readonly type: 'end'; readonly sessionKey: string; readonly onlyIdle: boolean }
  | { readonly type: 'end-peer'; readonly peer: string }
  | { readonly type: 'message'; readonly bytes: Uint8Array; readonly sessionKey: string | undefined }
  | { readonly type: 'lan'; readonly access: LanAccess }
  | { readonly type: 'published'; readonly call: number; readonly ports: readonly PublishedPort[] }
  | { readonly type: 'routes'; readonly routes: readonly PeerRoutes[] }
  | { readonly type: 'own'; readonly addresses: readonly string[] }
  | { readonly type: 'strand'; readonly fd: number }
  | { readonly type: 'status'; readonly call: number };

/** Worker to main thread. */
export type FromWorker =
  | { readonly type: 'ready'; readonly incarnation: string }
  | { readonly type: 'unready'; readonly reason: string }
  | { readonly type: 'done'; readonly call: number }
  | { readonly type: 'status'; readonly call: number; readonly status: EngineStatus }
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string; readonly fields: LogFields }
  | { readonly type: 'tls'; readonly fd: number; readonly address: string; readonly port: number }
  | { readonly type: 'strand'; readonly fd: number; readonly worker: number }
  | { readonly type: 'message'; readonly sessionKey: string; readonly bytes: Uint8Array }
  | { readonly type: 'handshake'; readonly reason: string }
  | { readonly type: 'reach'; readonly reached: boolean; readonly evidence: string }
  | { readonly type: 'packets'; readonly carried: boolean }
  | { readonly type: 'network' };

export type BoxWorkerData = BoxEngineOptions;
export type RelayWorkerData = RelayEngineOptions & { readonly workers: number; readonly index: number };
