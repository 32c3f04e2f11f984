// The console as Lambda has it: each call is one log record, with time, request id and level, sent as a frame.

import { writeSync } from "node:fs";
import { format } from "node:util";

import { intoError, text } from "./errors.mjs";

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const TEXT = 0xa55a0003; // the type of a frame; its level is added, as 4 times the level's number from 1
const JSON_ = 0xa55a0002;

const inJson = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
const lowest = Math.max(LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()), 0);
let pipe;
let requestId;

/** Make the console's methods write records. */
export function patchConsole() {
  pipe = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
  delete process.env._LAMBDA_TELEMETRY_LOG_FD;
  LEVELS.forEach((name, level) => {
    console[name.toLowerCase()] = level < lowest ? () => {} : (...message) => write(level, message);
  });
  console.log = console.info;
}

/** Whose records the next ones are. */
export function setRequestId(id) {
  requestId = id;
}

/** An error that ends an invocation or an init; `what` is left out of JSON. */
export function logError(what, error) {
  if (inJson) {
    console.error(intoError(error));
  } else {
    console.error(what, `\t${text(intoError(error))}`);
  }
}

function write(level, message) {
  const now = new Date();
  const record = Buffer.from(
    inJson
      ? inJsonFormat(now, LEVELS[level], message)
      : `${now.toISOString()}\t${requestId}\t${LEVELS[level]}\t${format(...message)}\n`,
  );
  const header = Buffer.alloc(16);
  header.writeUInt32BE(((inJson ? JSON_ : TEXT) | ((level + 1) << 2)) >>> 0, 0);
  header.writeUInt32BE(record.length, 4);
  header.writeBigUInt64BE(BigInt(now.valueOf()) * 1000n, 8);
  let rest = Buffer.concat([header, record]);
  while (rest.length) {
    rest = rest.subarray(writeSync(pipe, rest)); // cut short where the process was frozen in the middle of it
  }
}

function inJsonFormat(now, level, message) {
  const record = { timestamp: now.toISOString(), level, requestId };
  if (message.length === 1) {
    try {
      return JSON.stringify({ ...record, message: message[0] }, (_, value) =>
        value instanceof Error ? { ...inJsonFields(value), ...value } : value,
      );
    } catch {
      return JSON.stringify({ ...record, message: format(message[0]) });
    }
  }
  const error = message.find((each) => each instanceof Error);
  return JSON.stringify({ ...record, message: format(...message), ...(error && inJsonFields(error)) });
}

function inJsonFields(error) {
  return {
    errorType: error.constructor?.name ?? "UnknownError",
    errorMessage: error.message,
    stackTrace: typeof error.stack === "string" ? error.stack.split("\n") : [],
  };
}
