// From the handler's name, such as dir/index.handler, to the function.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import {
  CallbackHandlerDeprecated,
  HandlerNotFound,
  ImportModuleError,
  MalformedHandlerName,
  MalformedStreamingHandler,
  UserCodeSyntaxError,
} from "./errors.mjs";

export const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
export const CALLBACKS_EXIST = Number(process.versions.node.split(".")[0]) < 24;

const require = createRequire(import.meta.url);

/** Load the module and give back what `name` means; throws what the runtime reports as the init's error. */
export async function load(taskRoot, name) {
  if (name.includes("..")) {
    throw new MalformedHandlerName(
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const parts = path.basename(name).match(/^([^.]*)\.(.*)$/);
  if (!parts) {
    throw new MalformedHandlerName("Bad handler");
  }
  const module = await loadModule(taskRoot, path.resolve(taskRoot, path.dirname(name)), parts[1]);
  const handler = parts[2].split(".").reduce((nested, key) => nested?.[key], module);
  if (!handler) {
    throw new HandlerNotFound(`${name} is undefined or not exported`);
  }
  if (typeof handler !== "function") {
    throw new HandlerNotFound(`${name} is not a function`);
  }
  check(handler);
  return handler;
}

function check(handler) {
  if (handler[STREAMING] && handler[STREAMING] !== "response") {
    throw new MalformedStreamingHandler("Only response streaming is supported.");
  }
  if (!CALLBACKS_EXIST && handler.length >= 3 && !handler[STREAMING]) {
    throw new CallbackHandlerDeprecated(
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need " +
        "to modify this function to use a supported handler signature to use Node.js 24 or later. For more " +
        "information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  }
}

async function loadModule(taskRoot, folder, name) {
  try {
    const file = path.join(folder, name);
    for (const [extension, isModule] of [["", false], [".js", isOfModules(folder)], [".mjs", true], [".cjs", false]]) {
      if (existsSync(file + extension)) {
        return isModule ? await import(pathToFileURL(file + extension)) : require(file + extension);
      }
    }
    return require(require.resolve(name, { paths: [taskRoot, folder] }));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new UserCodeSyntaxError(error);
    }
    throw error?.code === "MODULE_NOT_FOUND" ? new ImportModuleError(error) : error;
  }
}

/** Whether the nearest package.json makes .js files ES modules. */
function isOfModules(folder) {
  if (path.basename(folder) === "node_modules") {
    return false;
  }
  const description = path.join(folder, "package.json");
  if (existsSync(description)) {
    try {
      return JSON.parse(readFileSync(description, "utf8"))?.type === "module";
    } catch (error) {
      console.warn(`${description} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return folder !== path.dirname(folder) && isOfModules(path.dirname(folder));
}
