/** A failed request: `status` is the HTTP status, 0 without an answer. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status @param {number} [waitMs] how long the server asks to wait */
  constructor(message, status, waitMs = 0) {
    super(message);
    this.status = status;
    this.waitMs = waitMs;
  }
}
