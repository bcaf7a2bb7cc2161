/** What a worker gets at its start beside its user's data. */
export interface WorkerPlumbing<Data> {
  /** Readable when messages wait or the end was asked for. Belongs to the main thread. */
  readonly wakeFd: number;
  /** Word 0: not 0 when the worker shall end. */
  readonly control: Int32Array<SharedArrayBuffer>;
  /** The worker's descriptors, one bit each. */
  readonly descriptors: Int32Array<SharedArrayBuffer>;
  readonly data: Data;
}
