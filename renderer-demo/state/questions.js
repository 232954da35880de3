// Questions to the sidecar: none is asked twice at a time, one that failed is asked again later,
// and an answer from before the connection was lost is not taken. It knows no workflow.

import { RequestError } from "../transport.js";

/** A question that failed is asked again after so many milliseconds. */
const ASK_AGAIN_MS = 3000;

/** @template Answer */
export class Questions {
  /** Under way, by connection and by what they are about. @type {Set<string>} */
  #asking = new Set();
  /** What was asked for once since the connection last stood. @type {Set<string>} */
  #asked = new Set();
  #connections = 0;

  /**
   * @param {(answer: Answer) => void} take
   * @param {() => void} again  called when a question that failed may be asked again
   */
  constructor(take, again) {
    this.take = take;
    this.again = again;
  }

  /**
   * With another connection everything is asked anew.
   * @param {boolean} isConnected
   */
  connectionChanged(isConnected) {
    if (isConnected) this.#connections += 1;
    this.#asked.clear();
  }

  /**
   * Let `once` ask again.
   * @param {(about: string) => boolean} isAbout
   */
  forget(isAbout) {
    for (const about of this.#asked) if (isAbout(about)) this.#asked.delete(about);
  }

  /**
   * Ask unless it has been asked since the connection last stood.
   * @param {string} about
   * @param {() => Promise<Answer | null>} question
   */
  once(about, question) {
    if (this.#asked.has(about)) return;
    this.#asked.add(about);
    void this.ask(about, question);
  }

  /**
   * Ask unless it is being asked. Rejects when the question fails, so that it is told.
   * @param {string} about
   * @param {() => Promise<Answer | null>} question  null for an answer that changes nothing
   */
  async ask(about, question) {
    const connection = this.#connections;
    const key = `${connection} ${about}`;
    if (this.#asking.has(key)) return;
    this.#asking.add(key);
    try {
      const answer = await question();
      this.#asking.delete(key);
      if (answer !== null && connection === this.#connections) this.take(answer);
    } catch (error) {
      if (error instanceof RequestError && error.type === "ConnectionLost") {
        this.#asking.delete(key);
        return;
      }
      // Not at once, and not never.
      setTimeout(() => {
        this.#asking.delete(key);
        this.#asked.delete(about);
        this.again();
      }, ASK_AGAIN_MS);
      throw error;
    }
  }
}
