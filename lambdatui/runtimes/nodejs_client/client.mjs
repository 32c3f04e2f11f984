// A runtime client for Node.js that behaves as AWS's own, aws-lambda-ric, without the part of it that wants a compiler.

import * as api from "./api.mjs";
import { NodeJsExit, UnhandledPromiseRejection } from "./errors.mjs";
import { CALLBACKS_EXIST, load, STREAMING } from "./handler.mjs";
import { logError, patchConsole, setRequestId } from "./logs.mjs";
import { awslambda, ResponseStream } from "./streaming.mjs";

let report = api.failInit; // an error that nobody caught
let dying; // of such an error
let whenIdle = () => {}; // what to do when the event loop has nothing left

/** Load the handler and serve invocations until the process is killed. */
export async function run(taskRoot, handlerName) {
  patchConsole();
  process.on("uncaughtException", (error) => (dying = die("Uncaught Exception", error, 129)));
  process.on("unhandledRejection", (reason) => {
    const error = new UnhandledPromiseRejection(reason);
    dying = die("Unhandled Promise Rejection", Object.assign(error, { reason, promise: {} }), 128);
  });
  process.on("beforeExit", () => whenIdle());
  if (!/^(1|true)$/.test(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) {
    globalThis.awslambda = awslambda;
  }
  const handler = await load(taskRoot, handlerName);
  const serve = handler[STREAMING] ? stream : answer;
  for (;;) {
    const { headers, text } = await api.next();
    await dying; // and do not begin another invocation
    const id = headers["lambda-runtime-aws-request-id"];
    setRequestId(id);
    setTraceId(headers["lambda-runtime-trace-id"]);
    report = (error) => api.fail(id, error);
    await serve(handler, id, text, contextOf(headers));
    whenIdle = () => {};
  }
}

async function die(what, error, code) {
  logError(what, error);
  await report(error).catch(() => {});
  process.exit(code);
}

function setTraceId(id) {
  if (id) {
    process.env._X_AMZN_TRACE_ID = id;
  } else {
    delete process.env._X_AMZN_TRACE_ID;
  }
}

function contextOf(headers) {
  const parsed = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed("lambda-runtime-client-context"),
    identity: parsed("lambda-runtime-cognito-identity"),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    tenantId: headers["lambda-runtime-aws-tenant-id"],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

async function answer(handler, id, text, context) {
  let answered;
  try {
    const result = await resultOf(handler, text, context);
    answered = api.respond(id, result);
  } catch (error) {
    logError("Invoke Error", error);
    answered = api.fail(id, error);
  }
  await answered;
}

/** What the handler says by its promise, its callback or the context's old methods; the first one counts. */
function resultOf(handler, text, context) {
  return new Promise((resolve, reject) => {
    let finished = false;
    const once = (then) => (...values) => {
      if (!finished) {
        finished = true;
        then(...values);
      }
    };
    const succeed = once(resolve);
    const fail = once((error) => reject(error ?? "handled"));
    const callback = once((error, result) => {
      if (error !== undefined && error !== null) {
        reject(error);
      } else if (context.callbackWaitsForEmptyEventLoop) {
        whenIdle = () => resolve(result);
      } else {
        resolve(result);
      }
    });
    // Nobody has answered, and nobody is left who could.
    whenIdle = isAsync(handler)
      ? () =>
          fail(
            new NodeJsExit(
              "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a " +
                "Promise that was never settled. For more information, see " +
                "https://nodejs.org/docs/latest/api/process.html#exit-codes",
            ),
          )
      : () => succeed(null);
    if (CALLBACKS_EXIST) {
      const done = (error, result) => (error === undefined || error === null ? succeed(result) : fail(error));
      Object.assign(context, { succeed, fail, done });
    }
    try {
      const event = JSON.parse(text);
      const returned = CALLBACKS_EXIST ? handler(event, context, callback) : handler(event, context);
      if (typeof returned?.then === "function") {
        returned.then(succeed, fail);
      } else if (!CALLBACKS_EXIST) {
        succeed(returned);
      }
    } catch (error) {
      fail(error);
    }
  });
}

const isAsync = (handler) => handler.constructor?.name === "AsyncFunction";

async function stream(handler, id, text, context) {
  const response = new ResponseStream(id);
  try {
    const returned = handler(JSON.parse(text), response, context);
    if (typeof returned?.then !== "function") {
      throw "Streaming does not support non-async handlers.";
    }
    if ((await unlessIdle(returned)) !== undefined) {
      console.warn("Streaming handlers ignore return values.");
    }
    await unlessIdle(new Promise((resolve) => (response.writableFinished ? resolve() : response.once("close", resolve))));
    await response.accepted;
  } catch (error) {
    logError("Invoke Error", error);
    await response.fail(error);
  }
  if (context.callbackWaitsForEmptyEventLoop) {
    await new Promise((resolve) => (whenIdle = resolve));
  }
}

/** What the promise gives; fails once the event loop is empty, for then it gives nothing any more. */
function unlessIdle(promise) {
  return new Promise((resolve, reject) => {
    whenIdle = () => reject("Response stream is not finished.");
    promise.then(resolve, reject);
  });
}
