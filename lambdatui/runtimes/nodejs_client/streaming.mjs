// Responses that a function streams: `awslambda.streamifyResponse` and what its handler writes to.

import { Writable } from "node:stream";

import * as api from "./api.mjs";
import { body, InvalidStreamingOperation } from "./errors.mjs";
import { STREAMING } from "./handler.mjs";

const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";

/** The global `awslambda`. */
export const awslambda = {
  streamifyResponse(handler) {
    handler[STREAMING] = "response";
    return handler;
  },
  HttpResponseStream: {
    /** Let what is written follow the status code, headers and cookies that an HTTP caller gets. */
    from(stream, prelude) {
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream.prelude = Buffer.concat([Buffer.from(JSON.stringify(prelude)), Buffer.alloc(8)]);
      return stream;
    },
  },
};

/** The response of the invocation `id`. Nothing is sent before the first byte, so that until then it can still fail. */
export class ResponseStream extends Writable {
  #id;
  #contentType = "application/octet-stream";
  #request = null;
  prelude = null;
  /** Whether the Runtime API has it all. */
  accepted = null;

  constructor(id) {
    super({ decodeStrings: true });
    this.#id = id;
  }

  setContentType(contentType) {
    if (this.#request) {
      throw new InvalidStreamingOperation("Cannot set content-type, too late.");
    }
    this.#contentType = contentType;
  }

  write(chunk, ...rest) {
    const isText = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(isText ? chunk : JSON.stringify(chunk), ...rest);
  }

  /** Tell of an error: instead of a response, or behind what was sent of it. */
  async fail(error) {
    if (!this.#request) {
      this.destroy();
      await api.fail(this.#id, error);
    } else if (!this.writableEnded) {
      const sent = body(error);
      this.#request.addTrailers({
        [ERROR_TYPE]: sent.errorType,
        [ERROR_BODY]: Buffer.from(JSON.stringify(sent)).toString("base64"),
      });
      this.end();
      await this.accepted;
    }
  }

  _write(chunk, _, done) {
    if (!this.#request) {
      this.#begin();
      if (this.prelude) {
        this.#request.write(this.prelude);
      }
    }
    this.#request.write(chunk, done);
  }

  _final(done) {
    if (!this.#request) {
      this.#begin();
    }
    this.#request.end(done);
  }

  #begin() {
    this.#request = api.streamed(this.#id, {
      "Content-Type": this.#contentType,
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      "Transfer-Encoding": "chunked",
      Trailer: [ERROR_TYPE, ERROR_BODY],
    });
    this.accepted = api.answer(this.#request);
    this.accepted.catch((error) => this.destroy(error));
  }
}
