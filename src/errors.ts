/**
 * Every error that Granule reports on purpose, by code. A code, once published, keeps its meaning.
 * `docs/errors.md` explains each; a test keeps the two lists equal.
 */
export const ERROR_CODES = [
  // Arguments of the engine
  'INVALID_ARGUMENT',
  'DIMENSION_INVALID',
  'LENGTH_MISMATCH',
  'K_OUT_OF_RANGE',
  'NOT_FINITE',
  'TEMPERATURE_INVALID',
  'FILTER_INVALID',
  'CANDIDATES_INVALID',
  'EMPTY_INDEX',
  'EMPTY_DOCUMENT',
  'INDEX_FULL',
  'ROW_NOT_FOUND',
  'INDEX_DISPOSED',
  // Pipelines
  'PIPELINE_INVALID',
  // Index files
  'INDEX_EXISTS',
  'INDEX_LOCKED',
  'INDEX_CORRUPT',
  'INDEX_VERSION_UNSUPPORTED',
  'ANALYZER_MISMATCH',
  // Running
  'ABORTED',
  'OUT_OF_MEMORY',
  'INTERNAL',
  // The native addon
  'ADDON_NOT_FOUND',
  'ISA_UNSUPPORTED',
  'DEVICE_UNAVAILABLE',
  // Images and models
  'IMAGE_UNREADABLE',
  'MODEL_RUNTIME_MISSING',
  'MODEL_INVALID',
  'ENCODER_CLOSED',
  // Corpora
  'FILE_NOT_FOUND',
  'FILE_NOT_WRITABLE',
  'CORPUS_LINE_INVALID',
  'DUPLICATE_ID',
  'CORPUS_NOT_FOUND',
  'CORPUS_EXISTS',
  'CORPUS_INVALID',
  'CORPUS_EMPTY',
  'CORPUS_LOCKED',
  'ENCODER_MISMATCH',
  'METADATA_FILTER_INVALID',
  // Training
  'TARGET_INVALID',
  'TRAINING_DATA_INVALID',
  'TRAINING_DIVERGED',
  'TRAINING_FILE_INVALID',
  'CHECKPOINT_MISMATCH',
  // Evaluation
  'EVALUATION_FILE_INVALID',
  // The server
  'REQUEST_INVALID',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'READ_ONLY',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'OVERLOADED',
  'SHUTTING_DOWN',
  'DEADLINE_EXCEEDED',
  'TOKEN_FILE_INVALID',
  'LISTEN_FAILED',
  // Its client
  'SERVER_UNREACHABLE',
  'RESPONSE_INVALID',
  // Command line
  'USAGE',
] as const;

/** One of the published error codes. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts about an error that a program can read: which row, which column, which line, which file. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * The one error class of Granule, thrown by TypeScript and by the native addon alike.
 *
 * Compare `error.code`, not the class: two copies of the package may live in one process.
 */
export class GranuleError extends Error {
  override readonly name = 'GranuleError';
  /** What went wrong, for programs; see `docs/errors.md`. */
  readonly code: ErrorCode;
  /** Where it went wrong, for programs; empty where nothing more is known. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
