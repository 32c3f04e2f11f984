// Starts a Node.js runtime client: AWS's own where it is installed, else the one beside this file; says when Node.js is up.

import { openSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const RUNTIME_READY = 0xa55aff01; // a type of frame that is none of AWS's own

const frame = Buffer.alloc(16);
frame.writeUInt32BE(RUNTIME_READY, 0);
frame.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 8);

// Standard output, on the same pipe, becomes non-blocking as soon as it is used; a descriptor of its own does not, so
// that a record that finds the pipe full waits instead of failing.
const pipe = openSync(`/dev/fd/${process.env._LAMBDA_TELEMETRY_LOG_FD}`, "w");
process.env._LAMBDA_TELEMETRY_LOG_FD = String(pipe);
writeSync(pipe, frame);

const client = process.env._LAMBDATUI_CLIENT;
delete process.env._LAMBDATUI_CLIENT;
const { run } = await import(client ? pathToFileURL(client) : "./client.mjs");
await run?.(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER); // AWS's for Node.js 24 and later runs when it is imported
