// Starts a Node.js runtime client: AWS's own where it is installed, else the one beside this file; says when Node.js is up.

import fs from "node:fs";
import { pathToFileURL } from "node:url";

const RUNTIME_READY = 0xa55aff01; // a type of frame that is none of AWS's own

const frame = Buffer.alloc(16);
frame.writeUInt32BE(RUNTIME_READY, 0);
frame.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);

// Standard output, on the same pipe, becomes non-blocking as soon as it is used; a descriptor of its own does not, so
// that a record that finds the pipe full waits instead of failing.
const pipe = fs.openSync(`/dev/fd/${process.env._LAMBDA_TELEMETRY_LOG_FD}`, "w");
process.env._LAMBDA_TELEMETRY_LOG_FD = String(pipe);
fs.writeSync(pipe, frame);

const client = process.env._LAMBDATUI_CLIENT;
delete process.env._LAMBDATUI_CLIENT;
if (client) {
  writeWhole();
}
const { run } = await import(client ? pathToFileURL(client) : "./client.mjs");
await run?.(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER); // AWS's for Node.js 24 and later runs when it is imported

/** Make AWS's client write its records whole: the system cuts a long write short where the process is frozen in it. */
function writeWhole() {
  const { writeSync } = fs;
  fs.writeSync = (fd, data, ...rest) => {
    let written = writeSync(fd, data, ...rest);
    while (fd === pipe && written < data.length) {
      written += writeSync(fd, data.subarray(written));
    }
    return written;
  };
}
