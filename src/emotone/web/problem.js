// Why there is no answer, in words for who uses the page.

export class Problem extends Error {
  /**
   * @param {string} message
   * @param {number} [status] of HTTP
   */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}
