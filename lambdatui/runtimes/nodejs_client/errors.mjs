// Errors as the runtime names them, sends them and logs them.

import { types } from "node:util";

function named(name) {
  const kind = class extends Error {};
  kind.prototype.name = `Runtime.${name}`; // on the prototype, so that the first line of the stack has it too
  return kind;
}

export const ImportModuleError = named("ImportModuleError");
export const HandlerNotFound = named("HandlerNotFound");
export const MalformedHandlerName = named("MalformedHandlerName");
export const UserCodeSyntaxError = named("UserCodeSyntaxError");
export const MalformedStreamingHandler = named("MalformedStreamingHandler");
export const InvalidStreamingOperation = named("InvalidStreamingOperation");
export const CallbackHandlerDeprecated = named("CallbackHandlerDeprecated");
export const NodeJsExit = named("NodeJsExit");
export const UnhandledPromiseRejection = named("UnhandledPromiseRejection");

/** What the caller gets. */
export function body(error) {
  try {
    if (types.isNativeError(error) || (error?.name && error?.message && error?.stack)) {
      return { errorType: error.name, errorMessage: error.message, trace: error.stack.split("\n") };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or more of its message, " +
        "name, and stack",
    };
  }
}

/** What stands in a log line of the text format. */
export function text(error) {
  try {
    return JSON.stringify(error, (_, value) => (value instanceof Error ? withItsFields(value) : value));
  } catch {
    return JSON.stringify(body(error));
  }
}

function withItsFields(error) {
  const fields = { errorType: error.name, errorMessage: error.message, code: error.code, ...error };
  return typeof error.stack === "string" ? { ...fields, stack: error.stack.split("\n") } : fields;
}

export const intoError = (thrown) => (thrown instanceof Error ? thrown : new Error(thrown));
