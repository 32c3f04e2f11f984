// The Runtime API. Its connection is kept; an error that comes while `next` waits gets another one.

import http from "node:http";

import { body } from "./errors.mjs";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });

/** The next invocation: its headers, and its event as text. */
export const next = () => call("GET", "invocation/next");

export const respond = (id, result) => call("POST", `invocation/${id}/response`, inJson(result));

export const fail = (id, error) => call("POST", `invocation/${id}/error`, JSON.stringify(body(error)));

export function failInit(error) {
  const sent = body(error);
  return call("POST", "init/error", JSON.stringify(sent), { "Lambda-Runtime-Function-Error-Type": sent.errorType });
}

/** The request of a response that is streamed. */
export const streamed = (id, headers) => request("POST", `invocation/${id}/response`, headers);

function inJson(result) {
  try {
    return JSON.stringify(result === undefined ? null : result);
  } catch {
    throw new Error("Unable to stringify response body");
  }
}

function request(method, path, headers) {
  return http.request({ hostname, port, agent, method, headers, path: `/2018-06-01/runtime/${path}` });
}

async function call(method, path, content, headers = {}) {
  const sent = request(method, path, { "Content-Type": "application/json", ...headers });
  sent.end(content);
  return answer(sent);
}

/** What the Runtime API answers to a request that was sent. */
export function answer(sent) {
  return new Promise((resolve, reject) => {
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks = [];
      response.on("error", reject);
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, text: Buffer.concat(chunks).toString() }));
    });
  });
}
